/** @file Our side of the bench: the same work as the peer's, through the built packages. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { runConfigSchema } from "@learnloss/contract"
import {
  cacheFolder,
  compileEvaluation,
  compileTrainStep,
  createRng,
  floatTensor,
  Graph,
  initializeParameters,
  measureEvaluation,
  measureTrainingPlan,
  op,
  openMeasurements,
  readSafetensors,
} from "@learnloss/engine"
import { buildEvaluation, buildTraining, makeTask, openModel } from "@learnloss/learn"
import { forwardFlops, trainingFlops } from "./flops.mjs"

export { createCycleBench } from "./ours-cycle.mjs"

/**
 * @typedef {object} BenchOptions
 * @property {string} network
 * @property {number} [width] channels of the first stage
 * @property {number} [stacks] of an hourglass
 * @property {number} [taps] of a network that the peer exports and we import
 * @property {number} batch images a run
 * @property {readonly [number, number, number]} image its channels, height and width
 * @property {number} threads
 * @property {string | null} [folder] weights, batch and ONNX file that the peer starts from; null draws others
 *
 * @typedef {object} Bench
 * @property {() => Promise<void>} run does the work once
 * @property {() => Promise<void>} [release] frees what it holds
 * @property {number} [flops] floating point operations of a run
 * @property {number} [check] what the peer must get too
 */

/** Names of ten classes, or of an hourglass' sixteen joints. */
function classNamesOf({ stacks }) {
  return Array.from({ length: stacks === undefined ? 10 : 16 }, (_, index) => `class ${index}`)
}

/** The task of a network, and how it is trained. */
function learningOf({ network, stacks }) {
  if (stacks !== undefined) return { task: "pose", optimizer: "rmsprop", learningRate: 2.5e-4, weightDecay: 0 }
  return { task: network.startsWith("ssd") ? "detection" : "classification", learningRate: 0.01 }
}

/** A network with the paper's loss module, trained jointly; an imported one is opened as the settings of a run open it. */
async function openLearner(options) {
  const { network, width, stacks, taps, batch, image, folder } = options
  const [channels, height, rowLength] = image
  const imageShape = { channels, height, width: rowLength }
  if (taps !== undefined && !folder) throw new Error(`${network} is exported by the peer, which is not here`)
  // Named as the peer's export names them.
  const tapped = Array.from({ length: taps ?? 0 }, (_, index) => `tap${index}`)
  const { task: taskName, ...training } = learningOf(options)
  const named = { name: network, width, stacks }
  const config = runConfigSchema.parse({
    data: "bench",
    task: taskName,
    model: taps === undefined ? named : { onnx: join(folder, "network.onnx"), taps: tapped },
    training: { steps: 100, batch, schedule: { kind: "constant" }, ...training },
    lossModule: { stopGradientAt: "100%" },
    budget: { initial: 1, perCycle: 1, cycles: 1 },
    strategies: ["learning-loss"],
  })
  const classNames = classNamesOf(options)
  const { model } = await openModel(config, { imageShape, classes: classNames.length })
  const strategyTraining = { lossModule: "joint", objective: "ranking", readsOutputs: false }
  const task = makeTask(config.task, { data: { classNames }, model, config })
  return { model, task, imageShape, strategyTraining, config }
}

/** The peer's tensors where it has some under our name, and drawn ones for the rest; a network's file brings its own. */
function startingWeights(specs, folder) {
  const path = folder ? join(folder, "weights.safetensors") : ""
  const shared = existsSync(path) ? readSafetensors(path) : new Map()
  const missing = specs.filter(({ name }) => !shared.has(name))
  const drawn = initializeParameters(missing, createRng(0))
  return new Map(specs.map(({ name }) => [name, shared.get(name) ?? drawn.get(name)]))
}

/** Images and, by the names of the task's inputs, what is to be learned of them. */
function openBatch({ batch, image, folder }, task) {
  if (folder) return Object.fromEntries(readSafetensors(join(folder, "batch.safetensors")))
  const rng = createRng("bench")
  const images = floatTensor([batch, ...image])
  for (let index = 0; index < images.data.length; index++) images.data[index] = rng.normal()
  return { images, ...task.encodeTargets(Array.from({ length: batch }, () => drawnTarget(task.name, rng))) }
}

/** A class, an image with one object, or a person with all joints. */
function drawnTarget(task, rng) {
  const classIndex = rng.integer(10)
  if (task === "classification") return classIndex
  if (task === "detection") {
    const box = [0.1, 0.1, rng.float() + 0.2, rng.float() + 0.2]
    return { width: 2, height: 2, boxes: [{ classIndex, box, isDifficult: false }] }
  }
  const joints = Array.from({ length: 16 }, () => ({ x: rng.float(), y: rng.float(), visibility: 2 }))
  return { width: 1, height: 1, joints, crop: { center: [0.5, 0.5], side: 1 } }
}

/** How plans are measured, and kept as runs keep them. */
function measuring(threads) {
  const session = { threads, device: "cpu" }
  const measurements = openMeasurements({ folder: cacheFolder(), session, say: (line) => console.error(line) })
  return { ...session, measurements }
}

/** Builds, plans and compiles a training graph; what `build-w64` times. */
export async function buildStep(options) {
  const { batch, threads } = options
  const learner = await openLearner(options)
  const plan = await measureTrainingPlan(buildTraining(learner, batch), measuring(threads))
  const spec = buildTraining(learner, batch)
  const flops = trainingFlops(spec)
  const step = await compileTrainStep(spec, plan, { threads })
  return { step, flops, specs: spec.network.specs, task: learner.task }
}

/**
 * One joint training step: network, loss prediction module, the task's and the ranking loss, backward, the optimiser.
 *
 * @param {BenchOptions} options
 * @returns {Promise<Bench>}
 */
export async function createStepBench(options) {
  const { step, flops, specs, task } = await buildStep(options)
  await step.load({ parameters: startingWeights(specs, options.folder), optimizer: new Map() })
  const feeds = openBatch(options, task)
  const { loss } = await step.run(feeds, 0)
  return { run: async () => void (await step.run(feeds, 0)), release: () => step.release(), flops, check: loss }
}

/**
 * Logits, predicted losses and embeddings of one batch in evaluation mode.
 *
 * @param {BenchOptions} options
 * @returns {Promise<Bench>}
 */
export async function createScoreBench(options) {
  const { batch, threads, folder } = options
  const learner = await openLearner(options)
  const weights = startingWeights(buildTraining(learner, batch).network.specs, folder)
  const build = (count) => buildEvaluation(learner, count, weights, ["output", "predictedLoss", "embedding"])
  const { plan } = await measureEvaluation(build, { batch, ...measuring(threads) })
  const { graph, outputs } = build(batch)
  const flops = forwardFlops(graph, Object.values(outputs))
  const session = await compileEvaluation(graph, outputs, { threads }, plan)
  const { images } = openBatch(options, learner.task)
  const { output } = await session.run({ images })
  const check = output.data.reduce((sum, logit) => sum + Math.abs(logit), 0) / output.data.length
  return { run: async () => void (await session.run({ images })), release: () => session.release(), flops, check }
}

/**
 * Products of square matrices one after the other: what the machine can do. All matrices are constants times the one
 * number that is fed, so that copies into the session cost nothing.
 *
 * @param {{ size: number, products: number, threads: number }} options
 * @returns {Promise<Bench>}
 */
export async function createGemmBench({ size, products, threads }) {
  const graph = new Graph()
  const rng = createRng("gemm")
  const matrix = (scale) => {
    const values = Float32Array.from({ length: size * size }, () => (rng.float() - 0.5) * scale)
    return graph.constant(floatTensor([size, size], values))
  }
  const factor = matrix(Math.sqrt(12 / size))
  let product = op.mul(graph.input("scale", "float32", []), matrix(1))
  for (let index = 0; index < products; index++) product = op.matMul(product, factor)
  const session = await compileEvaluation(graph, { mean: op.reduceMean(product) }, { threads })
  const feeds = { scale: floatTensor([], Float32Array.of(1)) }
  const flops = products * 2 * size ** 3
  return { run: async () => void (await session.run(feeds)), release: () => session.release(), flops }
}
