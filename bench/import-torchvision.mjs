/**
 * @file Imports what export-torchvision.py wrote and compares: the outputs of the inference export with ONNX Runtime's own, and
 * loss and gradient norms of the training export with PyTorch's.
 *
 *   node bench/import-torchvision.mjs FOLDER
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import {
  compileEvaluation,
  compileModel,
  compileTrainStep,
  constantSchedule,
  createNetworkBuilder,
  createRng,
  crossEntropyPerSample,
  fixedPlan,
  floatTensor,
  Graph,
  gradients,
  importNetwork,
  initializeParameters,
  intTensor,
  op,
  readOnnxModel,
  sgd,
} from "@learnloss/engine"

const [folder] = process.argv.slice(2)
const threads = 2

/** Adds a file's network to a graph. */
function build(model, source, batch, side) {
  const graph = new Graph()
  const images = graph.input("images", "float32", [batch, 3, side, side])
  const b = createNetworkBuilder(graph, source)
  const [{ name: input }] = model.inputs
  const [{ name: output }] = model.outputs
  const values = importNetwork(b, model, { wanted: [output], given: new Map([[input, images]]), batch })
  return { graph, b, logits: values.get(output) }
}

/** Largest difference of the outputs over their largest magnitude. */
async function compareOutputs(path, images, side) {
  const model = readOnnxModel(path)
  const [batch] = images.shape
  const { b } = build(model, "inputs", batch, side)
  const { graph, logits } = build(model, initializeParameters(b.specs, createRng("weights")), batch, side)
  const ours = await compileEvaluation(graph, { logits }, { threads })
  const theirs = await compileModel(readFileSync(path), { threads })
  const [one, other] = [await ours.run({ images }), await theirs.run({ [model.inputs[0].name]: images })]
  await ours.release()
  await theirs.release()
  const [actual, expected] = [one.logits.data, other[model.outputs[0].name].data]
  const scale = Math.max(...expected.map(Math.abs)) || 1
  return Math.max(...actual.map((value, index) => Math.abs(value - expected[index]))) / scale
}

/** Relative differences of the loss, and of the median and the worst gradient norm. */
async function compareTraining(path, images, { side, labels, loss: expectedLoss, gradientNorms }) {
  const [batch] = images.shape
  const { graph, b, logits } = build(readOnnxModel(path), "inputs", batch, side)
  const loss = op.reduceMean(crossEntropyPerSample(logits, graph.input("labels", "int64", [batch])))
  const parameters = b.specs.filter(({ kind }) => kind === "parameter")
  const found = gradients(
    graph,
    loss,
    parameters.map(({ name }) => b.values.get(name)),
  )
  const observed = Object.fromEntries(
    parameters.map(({ name }, index) => [name, op.sqrt(op.reduceSum(op.mul(found[index], found[index])))]),
  )
  const spec = { graph, network: b, loss, progress: graph.input("progress", "float32", []), observed }
  const optimizer = sgd({ momentum: 0, weightDecay: 0 })
  const schedule = constantSchedule
  const step = await compileTrainStep({ ...spec, optimizer, learningRate: 0, schedule }, fixedPlan, { threads })
  await step.load({ parameters: initializeParameters(b.specs, createRng("weights")), optimizer: new Map() })
  const result = await step.run({ images, labels: intTensor([batch], labels) }, 0)
  await step.release()
  const missing = Object.keys(gradientNorms).filter((name) => result.observed[name] === undefined)
  const largest = Math.max(...Object.values(gradientNorms))
  const differences = Object.entries(gradientNorms)
    .filter(([name]) => result.observed[name] !== undefined)
    // A gradient that is next to nothing beside the others is rounding.
    .map(([name, norm]) => Math.abs(result.observed[name][0] - norm) / Math.max(norm, 1e-4 * largest))
    .sort((one, other) => one - other)
  return {
    loss: Math.abs(result.loss - expectedLoss) / expectedLoss,
    median: differences[Math.floor(differences.length / 2)],
    worst: differences.at(-1),
    missing: missing.length,
  }
}

console.log("network              outputs  loss     gradients: median, worst  parameters not found")
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
  const facts = JSON.parse(readFileSync(join(folder, file), "utf8"))
  const { name, side, labels } = facts
  const bytes = readFileSync(join(folder, `${name}.images`))
  const images = floatTensor([labels.length, 3, side, side], new Float32Array(new Uint8Array(bytes).buffer))
  const outputs = await compareOutputs(join(folder, `${name}-inference.onnx`), images, side)
  const { loss, median, worst, missing } = await compareTraining(join(folder, `${name}-training.onnx`), images, facts)
  const cells = [outputs, loss, median, worst].map((value) => value.toExponential(1).padEnd(8))
  console.log(name.padEnd(20), ...cells, " ".repeat(8), missing)
}
