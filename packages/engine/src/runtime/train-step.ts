import { gradients } from "../autodiff/gradients.ts"
import { add, concat, mul, reshape, sub } from "../graph/build.ts"
import { encodeModel } from "../graph/codec.ts"
import type { Graph, Value } from "../graph/graph.ts"
import { floatTensor, sizeOf, type Tensor, zeroTensor } from "../graph/tensor.ts"
import { refusedByWebGpu } from "../lowering/fit-device.ts"
import { lower, type Pack, productsOf } from "../lowering/lower.ts"
import { completePlan, type LoweringPlan } from "../lowering/plan.ts"
import type { BufferUpdate, NetworkParts } from "../nn/network.ts"
import type { Optimizer } from "../optim/optimizer.ts"
import type { Schedule } from "../optim/schedule.ts"
import { openTrainStep, type RemoteStep } from "./compute-thread.ts"
import { type MeasureOptions, measurePlan } from "./measure-plan.ts"
import type { SessionOptions } from "./ort.ts"
import type { Placement } from "./placement.ts"
import { nextName, type PackLayout, type TrainingState, type TrainStepLayout } from "./resident-step.ts"

/** A network with its loss, ready to be differentiated. */
export interface TrainingSpec {
  readonly graph: Graph
  readonly network: NetworkParts
  /** Scalar that training lowers. */
  readonly loss: Value
  /** Scalar graph input in [0, 1): the share of training that is done. */
  readonly progress: Value
  /** Further `float32` values to read at every step, by name. */
  readonly observed: Readonly<Record<string, Value>>
  readonly optimizer: Optimizer
  /** Learning rate that the schedule multiplies. */
  readonly learningRate: number
  readonly schedule: Schedule
}

/** What a step reports. */
export interface StepResult {
  readonly loss: number
  readonly learningRate: number
  readonly observed: Readonly<Record<string, Float32Array>>
  /** When the step was done, in milliseconds of `performance.timeOrigin + performance.now()`. */
  readonly finishedAt: number
}

/**
 * One compiled training step: forward, loss, backward and update in a single run of ONNX Runtime, on a thread of its
 * own, so that the caller can prepare the next batch meanwhile.
 */
export interface TrainStep {
  /** How each of its products is computed: the same bits again need the same plan. */
  readonly plan: LoweringPlan
  /**
   * Trains on one batch.
   *
   * @param feeds the graph's other inputs by name, e.g. images [B, C, H, W] and targets [B]; copied before this returns
   * @param progress steps done over steps in all, before this step
   */
  run(feeds: Readonly<Record<string, Tensor>>, progress: number): Promise<StepResult>
  /** A copy of the current weights, statistics and optimiser state. */
  state(): Promise<TrainingState>
  /** Copies a state in; missing optimiser state becomes zero. */
  load(state: TrainingState): Promise<void>
  /** Which nodes the device computes, found out by a step on zeros; null on the processor, which computes them all. */
  readonly placement: Placement | null
  release(): Promise<void>
}

const lossOutput = "loss"
const learningRateOutput = "learning rate"

/** A training graph with its gradients and updates. */
interface Differentiated {
  readonly outputs: Record<string, Value>
  readonly packs: readonly (Pack & { readonly slot: PackLayout["slot"] })[]
}

/**
 * Parameters from this size on are updated by themselves: what an update reads and writes then stays in the processor's
 * cache, and nothing is copied to stand in one line.
 */
const largeParameter = 2 ** 17

/**
 * Adds gradients and updates. Small parameters that follow one another are updated as one flat vector: an elementwise op on
 * many numbers costs less than one op on each of a hundred tensors.
 */
function differentiate(spec: TrainingSpec): Differentiated {
  const { graph, network, loss, optimizer, schedule, progress } = spec
  const namesOf = (kind: "parameter" | "buffer") =>
    network.specs.flatMap((each) => (each.kind === kind ? [each.name] : []))
  const valuesOf = (kind: "parameter" | "buffer") => namesOf(kind).map((name) => network.values.get(name) as Value)
  const [parameters, buffers] = [valuesOf("parameter"), valuesOf("buffer")]
  const flat = (name: string, members: readonly Value[]) => graph.input(name, "float32", [totalSize(members)])
  const joined = (values: readonly Value[]) =>
    concat(
      values.map((value) => reshape(value, [sizeOf(value.shape)])),
      0,
    )

  const learningRate = mul(schedule(progress), spec.learningRate)
  const ofParameters = gradients(graph, loss, parameters)
  const gradientOf = new Map(parameters.map((parameter, index) => [parameter, ofParameters[index] as Value]))
  const outputs: Record<string, Value> = {}
  const packs: Differentiated["packs"][number][] = []
  // The first layers' updates come first, so that they are computed last: see `encodeModel`.
  for (const [index, members] of runs(parameters).entries()) {
    const name = `parameters ${index}`
    const slots = optimizer.slots.map((slot) => ({ name: `${slot} ${index}`, members, slot }))
    const state = Object.fromEntries(slots.map((pack) => [pack.slot, flat(pack.name, members)]))
    const gradient = joined(members.map((member) => gradientOf.get(member) as Value))
    const update = optimizer.update(flat(name, members), gradient, state, learningRate)
    for (const pack of slots) outputs[nextName(pack.name)] = update.state[pack.slot] as Value
    outputs[nextName(name)] = update.parameter
    packs.push({ name, members, slot: null }, ...slots)
  }
  if (buffers.length > 0) {
    const name = "buffers"
    const updates = namesOf("buffer").map((each) => network.bufferUpdates.get(each) as BufferUpdate)
    const shares = Float32Array.from(
      buffers.flatMap(({ shape }, index) => new Array(sizeOf(shape)).fill(updates[index]?.share)),
    )
    const share = graph.constant(floatTensor([shares.length], shares), "buffer shares")
    const kept = mul(flat(name, buffers), sub(1, share))
    outputs[nextName(name)] = add(kept, mul(joined(updates.map(({ observed }) => observed)), share))
    packs.push({ name, members: buffers, slot: null })
  }
  return { outputs: { ...outputs, ...spec.observed, [learningRateOutput]: learningRate, [lossOutput]: loss }, packs }
}

/** Parameters in their order: each large one by itself, the small ones between two of them together. */
function runs(parameters: readonly Value[]): Value[][] {
  const isLarge = (value: Value | undefined) => value !== undefined && sizeOf(value.shape) >= largeParameter
  const found: Value[][] = []
  for (const [index, parameter] of parameters.entries()) {
    if (index === 0 || isLarge(parameter) || isLarge(parameters[index - 1])) found.push([parameter])
    else found.at(-1)?.push(parameter)
  }
  return found
}

function totalSize(values: readonly Value[]): number {
  return values.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
}

/** Measures how the products of a training step are computed fastest on a device of this machine. */
export function measureTrainingPlan(spec: TrainingSpec, options: MeasureOptions): Promise<LoweringPlan> {
  return measurePlan(spec.graph, differentiate(spec).outputs, options)
}

/**
 * Differentiates, lowers and compiles a training graph.
 *
 * @throws LearnlossError `NO_GRADIENT`, `UNKNOWN_LOWERING`, `MODEL_NOT_COMPILED`
 */
export async function compileTrainStep(
  spec: TrainingSpec,
  plan: LoweringPlan,
  options: SessionOptions,
): Promise<TrainStep> {
  const { outputs, packs } = differentiate(spec)
  // Optimiser slots are read as they are, so only what the network reads is taken apart.
  const lowered = lower(
    spec.graph,
    outputs,
    plan,
    packs.filter(({ slot }) => slot === null),
    options.device,
  )
  const observedNames = Object.keys(spec.observed)
  const nameOf = new Map([...spec.network.values].map(([name, value]) => [value, name]))
  const layout: TrainStepLayout = {
    packs: packs.map(({ name, members, slot }) => ({
      name,
      slot,
      members: members.map((member) => ({ name: nameOf.get(member) as string, shape: member.shape })),
    })),
    progress: spec.progress.name,
    reports: [...observedNames, learningRateOutput, lossOutput].map((name) => ({
      name,
      shape: (outputs[name] as Value).shape,
    })),
  }
  const isPlacementWanted = options.device !== undefined && options.device !== "cpu"
  const model = encodeModel(lowered.graph, lowered.outputs)
  const processorNodes = options.device === "webgpu" ? refusedByWebGpu(lowered.graph, lowered.outputs) : []
  const step = await openTrainStep(model, { ...options, isPlacementWanted, processorNodes }, layout)
  return {
    plan: completePlan(productsOf(spec.graph, outputs), plan),
    placement: isPlacementWanted ? await placementOf(step, lowered.graph, layout) : null,
    async run(feeds, progress) {
      const { reports, finishedAt } = await step.run(feeds, progress)
      return {
        loss: reports[lossOutput]?.[0] as number,
        learningRate: reports[learningRateOutput]?.[0] as number,
        observed: Object.fromEntries(observedNames.map((name) => [name, reports[name] as Float32Array])),
        finishedAt,
      }
    },
    state: () => step.state(),
    load: (state) => step.load(state),
    release: () => step.release(),
  }
}

/** Takes one step on zeros, which also makes the device compile its programs, and puts the state back. */
async function placementOf(step: RemoteStep, graph: Graph, layout: TrainStepLayout): Promise<Placement | null> {
  const own = new Set([layout.progress, ...layout.packs.map(({ name }) => name)])
  const fed = graph.inputs.filter(({ name }) => !own.has(name))
  const zeros = fed.map(({ name, dtype, shape }) => [name, zeroTensor(dtype, shape)] as const)
  const before = await step.state()
  await step.run(Object.fromEntries(zeros), 0)
  await step.load(before)
  return step.placement()
}
