import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect } from "vitest"
import { gradients } from "../../autodiff/gradients.ts"
import { readSafetensors } from "../../files/safetensors.ts"
import { reduceMean } from "../../graph/build.ts"
import { relativeDifference } from "../../graph/compare.ts"
import { Graph, type Value } from "../../graph/graph.ts"
import { floatTensor, sizeOf, type Tensor } from "../../graph/tensor.ts"
import { fixedPlan } from "../../lowering/plan.ts"
import { initializeParameters } from "../../nn/initializers.ts"
import { crossEntropyPerSample } from "../../nn/losses.ts"
import { createNetworkBuilder, type ParameterSource, type TensorMap } from "../../nn/network.ts"
import { sgd } from "../../optim/optimizer.ts"
import { constantSchedule } from "../../optim/schedule.ts"
import { createRng } from "../../random/rng.ts"
import { compileEvaluation } from "../../runtime/evaluation.ts"
import { compileTrainStep } from "../../runtime/train-step.ts"
import type { OnnxModel } from "../model.ts"
import { readOnnxModel } from "../read-model.ts"
import { frozenParameters } from "./freeze.ts"
import { importNetwork } from "./network.ts"

/** What `fixtures/make-imports.py` writes. */
interface FixtureRecord {
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

/** A fixture with its tensors. */
export interface Fixture extends FixtureRecord {
  readonly model: OnnxModel
  readonly numbers: TensorMap
  readonly batches: TensorMap
}

/** Where PyTorch's numbers are. */
export const fixtureFolder = new URL("../../../../../fixtures/imports/", import.meta.url).pathname

export function readFixture(name: string): Fixture {
  const record: FixtureRecord = JSON.parse(readFileSync(join(fixtureFolder, `${name}.json`), "utf8"))
  return {
    ...record,
    model: readOnnxModel(join(fixtureFolder, record.onnx)),
    numbers: readSafetensors(join(fixtureFolder, record.tensors)),
    batches: readSafetensors(join(fixtureFolder, record.inputs)),
  }
}

/** A weight or statistic that another file stores under another name, perhaps with its axes in another order. */
export interface Renamed {
  readonly name: string
  /** Order in which the other file has the fixture's axes. */
  readonly perm?: readonly number[]
}

/** Another file of a fixture's network. */
export interface Rebuilt {
  readonly model: OnnxModel
  readonly input: string
  readonly output: string
  /** Order in which the input has the axes of [B, C, H, W]. */
  readonly inputPerm?: readonly number[]
  /** What the other file calls the fixture's weights and statistics. */
  readonly renamed: ReadonlyMap<string, Renamed>
  /** Weights that the fixture has not, and whose gradients are zero. */
  readonly added?: readonly string[]
}

function asItIs({ model, input, output }: Fixture): Rebuilt {
  return { model, input, output, renamed: new Map() }
}

function build(fixture: Fixture, { model, input, output, inputPerm }: Rebuilt, source: ParameterSource) {
  const frozen = frozenParameters(model, fixture.frozen)
  const graph = new Graph()
  const shape = [fixture.batch, ...fixture.inputShape]
  const images = graph.input("images", "float32", inputPerm?.map((axis) => shape[axis] as number) ?? shape)
  const network = createNetworkBuilder(graph, source)
  const values = importNetwork(network, model, {
    wanted: [output],
    given: new Map([[input, images]]),
    batch: fixture.batch,
    isFrozen: (name) => frozen.has(name),
    freezeNorm: fixture.freezesNorm,
  })
  return { graph, network, logits: values.get(output) as Value }
}

/** The training step together with the gradients of all parameters. */
function buildTraining(fixture: Fixture, rebuilt: Rebuilt) {
  const { graph, network, logits } = build(fixture, rebuilt, "inputs")
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
  return { trained, spec: { graph, network, loss, progress, observed, ...settings } }
}

/**
 * Expects that a file trains as PyTorch trained the fixture: parameters, first loss, every gradient, ten steps, the state
 * after them and the evaluation of it.
 */
export async function expectParity(fixture: Fixture, rebuilt: Rebuilt = asItIs(fixture)): Promise<void> {
  const { model, inputPerm, renamed, added = [] } = rebuilt
  const { batches, numbers } = fixture
  const fed = (images: Tensor): Tensor => (inputPerm === undefined ? images : permuted(images, inputPerm))
  const expectedUnder = (prefix: string): ReadonlyMap<string, Float32Array> =>
    new Map(
      [...numbers].flatMap(([name, tensor]) => {
        if (!name.startsWith(prefix)) return []
        const { name: other, perm } = renamed.get(name.slice(prefix.length)) ?? { name: name.slice(prefix.length) }
        return [[other, (perm === undefined ? tensor : permuted(tensor, perm)).data as Float32Array]]
      }),
    )
  const { trained, spec } = buildTraining(fixture, rebuilt)
  const expectedGradients = expectedUnder("gradient/")
  expect(new Set(trained)).toEqual(new Set([...expectedGradients.keys(), ...added]))
  const step = await compileTrainStep(spec, fixedPlan, { threads: 1 })
  await step.load({
    parameters: initializeParameters(spec.network.specs, createRng("unused")),
    optimizer: new Map(),
  })
  const largest = Math.max(...[...expectedGradients.values()].map((gradient) => magnitude(gradient)))
  const zero = new Set([...fixture.zeroGradients.map((name) => renamed.get(name)?.name ?? name), ...added])
  for (const [index, expected] of fixture.losses.entries()) {
    const images = fed(item(batches.get("images")!, index))
    const labels = item(batches.get("labels")!, index)
    const result = await step.run({ images, labels }, index / fixture.losses.length)
    const tolerance = index === 0 ? 1e-5 : 1e-4
    expect(relativeDifference([result.loss], [expected]), `loss of step ${index}`).toBeLessThan(tolerance)
    if (index > 0) continue
    for (const each of trained) {
      const actual = result.observed[each]!
      if (zero.has(each)) expect(magnitude(actual), each).toBeLessThan(1e-5 * largest)
      else expect(relativeDifference(actual, expectedGradients.get(each)!), `gradient of ${each}`).toBeLessThan(1e-4)
    }
  }
  const { parameters } = await step.state()
  await step.release()
  for (const [name, expected] of expectedUnder("final/")) {
    const actual = parameters.get(name) ?? model.initializers.get(name)!.read()
    expect(relativeDifference(actual.data as Float32Array, expected), name).toBeLessThan(1e-3)
  }
  const { graph, logits } = build(fixture, rebuilt, parameters)
  const evaluation = await compileEvaluation(graph, { logits }, { threads: 1 })
  const outcome = await evaluation.run({ images: fed(batches.get("evaluation/images")!) })
  await evaluation.release()
  const expectedLogits = numbers.get("evaluation/logits")!.data as Float32Array
  expect(relativeDifference(outcome.logits!.data as Float32Array, expectedLogits)).toBeLessThan(1e-3)
}

/** Item `index` of the first axis. */
function item(tensor: Tensor, index: number): Tensor {
  const shape = tensor.shape.slice(1)
  const length = sizeOf(shape)
  return { ...tensor, shape, data: tensor.data.slice(index * length, (index + 1) * length) } as Tensor
}

/** A float tensor with its axes in another order. */
export function permuted({ shape, data }: Tensor, perm: readonly number[]): Tensor {
  const to = perm.map((axis) => shape[axis] as number)
  const steps = perm.map((axis) => sizeOf(shape.slice(axis + 1)))
  const moved = Float32Array.from({ length: data.length }, (_, position) => {
    let [rest, from] = [position, 0]
    for (let axis = to.length - 1; axis >= 0; axis--) {
      from += (rest % to[axis]!) * steps[axis]!
      rest = Math.floor(rest / to[axis]!)
    }
    return data[from] as number
  })
  return floatTensor(to, moved)
}

function magnitude(numbers: Float32Array): number {
  return numbers.reduce((most, each) => Math.max(most, Math.abs(each)), 0)
}
