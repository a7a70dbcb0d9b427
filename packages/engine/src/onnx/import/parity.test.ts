import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { gradients } from "../../autodiff/gradients.ts"
import { readSafetensors } from "../../files/safetensors.ts"
import { reduceMean } from "../../graph/build.ts"
import { relativeDifference } from "../../graph/compare.ts"
import { Graph, type Value } from "../../graph/graph.ts"
import { sizeOf, type Tensor } from "../../graph/tensor.ts"
import { fixedPlan } from "../../lowering/plan.ts"
import { initializeParameters } from "../../nn/initializers.ts"
import { crossEntropyPerSample } from "../../nn/losses.ts"
import { createNetworkBuilder, type ParameterSource, type TensorMap } from "../../nn/network.ts"
import { sgd } from "../../optim/optimizer.ts"
import { constantSchedule } from "../../optim/schedule.ts"
import { createRng } from "../../random/rng.ts"
import { compileEvaluation } from "../../runtime/evaluation.ts"
import { compileTrainStep } from "../../runtime/train-step.ts"
import { readOnnxModel } from "../read-model.ts"
import { frozenParameters } from "./freeze.ts"
import { importNetwork } from "./network.ts"

/** What `fixtures/make-imports.py` writes. */
interface Fixture {
  readonly onnx: string
  readonly tensors: string
  readonly inputs: string
  readonly input: string
  readonly output: string
  readonly batch: number
  readonly inputShape: readonly number[]
  readonly learningRate: number
  readonly momentum: number
  readonly weightDecay: number
  readonly frozen: readonly string[]
  readonly freezesNorm: boolean
  readonly losses: readonly number[]
  readonly zeroGradients: readonly string[]
}

const folder = new URL("../../../../../fixtures/imports/", import.meta.url).pathname
const names = readdirSync(folder).flatMap((file) => (file.endsWith(".json") ? [file.replace(".json", "")] : []))

/** Tensors under a prefix, by the rest of their names. */
function under(prefix: string, tensors: TensorMap): ReadonlyMap<string, Float32Array> {
  return new Map(
    [...tensors].flatMap(([name, { data }]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), data as Float32Array]] : [],
    ),
  )
}

/** Item `index` of the first axis. */
function item(tensor: Tensor, index: number): Tensor {
  const shape = tensor.shape.slice(1)
  const length = sizeOf(shape)
  return { ...tensor, shape, data: tensor.data.slice(index * length, (index + 1) * length) } as Tensor
}

function build(fixture: Fixture, source: ParameterSource) {
  const model = readOnnxModel(join(folder, fixture.onnx))
  const frozen = frozenParameters(model, fixture.frozen)
  const graph = new Graph()
  const images = graph.input("images", "float32", [fixture.batch, ...fixture.inputShape])
  const network = createNetworkBuilder(graph, source)
  const values = importNetwork(network, model, {
    wanted: [fixture.output],
    given: new Map([[fixture.input, images]]),
    batch: fixture.batch,
    isFrozen: (name) => frozen.has(name),
    freezeNorm: fixture.freezesNorm,
  })
  return { model, graph, network, logits: values.get(fixture.output) as Value }
}

/** The training step together with the gradients of all parameters. */
function buildTraining(fixture: Fixture) {
  const { model, graph, network, logits } = build(fixture, "inputs")
  const labels = graph.input("labels", "int64", [fixture.batch])
  const loss = reduceMean(crossEntropyPerSample(logits, labels))
  const trained = network.specs.flatMap(({ name, kind }) => (kind === "parameter" ? [name] : []))
  const values = gradients(
    graph,
    loss,
    trained.map((name) => network.values.get(name) as Value),
  )
  const observed = Object.fromEntries(trained.map((name, index) => [name, values[index] as Value]))
  const progress = graph.input("progress", "float32", [])
  const settings = { optimizer: sgd(fixture), learningRate: fixture.learningRate, schedule: constantSchedule }
  return { model, trained, spec: { graph, network, loss, progress, observed, ...settings } }
}

describe.each(names)("%s beside PyTorch", (name) => {
  const fixture: Fixture = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"))
  const tensors = readSafetensors(join(folder, fixture.tensors))
  const inputs = readSafetensors(join(folder, fixture.inputs))
  const expectedGradients = under("gradient/", tensors)

  test("has the parameters, the loss, every gradient, ten steps and the evaluation after them", async () => {
    const { model, trained, spec } = buildTraining(fixture)
    expect(new Set(trained)).toEqual(new Set(expectedGradients.keys()))
    const step = await compileTrainStep(spec, fixedPlan, { threads: 1 })
    const initial = initializeParameters(spec.network.specs, createRng("unused"))
    await step.load({ parameters: initial, optimizer: new Map() })
    const largest = Math.max(...[...expectedGradients.values()].map((gradient) => magnitude(gradient)))
    for (const [index, expected] of fixture.losses.entries()) {
      const feeds = { images: item(inputs.get("images")!, index), labels: item(inputs.get("labels")!, index) }
      const result = await step.run(feeds, index / fixture.losses.length)
      const tolerance = index === 0 ? 1e-5 : 1e-4
      expect(relativeDifference([result.loss], [expected]), `loss of step ${index}`).toBeLessThan(tolerance)
      if (index > 0) continue
      for (const [each, gradient] of expectedGradients) {
        const actual = result.observed[each]!
        if (fixture.zeroGradients.includes(each)) expect(magnitude(actual), each).toBeLessThan(1e-5 * largest)
        else expect(relativeDifference(actual, gradient), `gradient of ${each}`).toBeLessThan(1e-4)
      }
    }
    const { parameters } = await step.state()
    await step.release()
    for (const [buffer, expected] of under("final/", tensors)) {
      const actual = parameters.get(buffer) ?? model.initializers.get(buffer)!.read()
      expect(relativeDifference(actual.data as Float32Array, expected), buffer).toBeLessThan(1e-3)
    }
    const { graph, logits } = build(fixture, parameters)
    const evaluation = await compileEvaluation(graph, { logits }, { threads: 1 })
    const outcome = await evaluation.run({ images: inputs.get("evaluation/images")! })
    await evaluation.release()
    const expectedLogits = tensors.get("evaluation/logits")!.data as Float32Array
    expect(relativeDifference(outcome.logits!.data as Float32Array, expectedLogits)).toBeLessThan(1e-3)
  })
})

function magnitude(numbers: Float32Array): number {
  return numbers.reduce((most, each) => Math.max(most, Math.abs(each)), 0)
}
