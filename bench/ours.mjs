/** @file Our side of the bench: the same work as peer.py's, through the built packages. */
import { runConfigSchema } from "@learnloss/contract"
import {
  compileEvaluation,
  compileTrainStep,
  createRng,
  floatTensor,
  initializeParameters,
  intTensor,
  measureTrainingPlan,
} from "@learnloss/engine"
import { buildEvaluation, buildTraining, classification, models } from "@learnloss/learn"

/**
 * @typedef {object} BenchOptions
 * @property {number} width channels of ResNet-18's first stage
 * @property {number} batch images a run, 32x32 with three channels
 * @property {number} threads
 *
 * @typedef {object} Bench
 * @property {() => Promise<void>} run does the work once
 * @property {() => Promise<void>} [release] frees what it holds
 */

const imageShape = { channels: 3, height: 32, width: 32 }
const classes = Array.from({ length: 10 }, (_, index) => `class ${index}`)

/** ResNet-18 with the paper's loss module, trained jointly. */
function createLearner(width, batch) {
  const config = runConfigSchema.parse({
    data: "bench",
    model: { name: "resnet18", width },
    training: { steps: 100, batch, learningRate: 0.01, schedule: { kind: "constant" } },
    lossModule: { stopGradientAt: "100%" },
    budget: { initial: 1, perCycle: 1, cycles: 1 },
    strategies: ["learning-loss"],
  })
  return {
    model: models.resnet18({ width, outputs: classes.length }),
    task: classification(classes),
    imageShape,
    strategyTraining: { lossModule: "joint", objective: "ranking", readsOutputs: false },
    config,
  }
}

function drawBatch(batch) {
  const rng = createRng("bench")
  const { channels, height, width } = imageShape
  const images = floatTensor([batch, channels, height, width])
  for (let index = 0; index < images.data.length; index++) images.data[index] = rng.normal()
  return {
    images,
    labels: intTensor(
      [batch],
      Array.from({ length: batch }, () => rng.integer(classes.length)),
    ),
  }
}

/**
 * One joint training step: network, loss prediction module, cross-entropy and ranking loss, backward, SGD.
 *
 * @param {BenchOptions} options
 * @returns {Promise<Bench>}
 */
export async function createStepBench({ width, batch, threads }) {
  const learner = createLearner(width, batch)
  const plan = await measureTrainingPlan(buildTraining(learner, batch), { threads })
  const spec = buildTraining(learner, batch)
  const step = await compileTrainStep(spec, plan, { threads })
  await step.load({ parameters: initializeParameters(spec.network.specs, createRng(0)), optimizer: new Map() })
  const feeds = drawBatch(batch)
  return { run: async () => void (await step.run(feeds, 0)), release: () => step.release() }
}

/**
 * Logits, predicted losses and embeddings of one batch in evaluation mode.
 *
 * @param {BenchOptions} options
 * @returns {Promise<Bench>}
 */
export async function createScoreBench({ width, batch, threads }) {
  const learner = createLearner(width, batch)
  const { specs } = buildTraining(learner, batch).network
  const weights = initializeParameters(specs, createRng(0))
  const { graph, outputs } = buildEvaluation(learner, batch, weights, ["output", "predictedLoss", "embedding"])
  const session = await compileEvaluation(graph, outputs, { threads })
  const { images } = drawBatch(batch)
  return { run: async () => void (await session.run({ images })), release: () => session.release() }
}
