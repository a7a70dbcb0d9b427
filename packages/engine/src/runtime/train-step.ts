import { gradients } from "../autodiff/gradients.ts"
import { InternalError } from "../errors.ts"
import { mul } from "../graph/build.ts"
import { encodeModel } from "../graph/codec.ts"
import type { Graph, Value } from "../graph/graph.ts"
import { floatTensor, type Tensor } from "../graph/tensor.ts"
import { lower } from "../lowering/lower.ts"
import type { LoweringPlan } from "../lowering/plan.ts"
import type { NetworkParts, TensorMap } from "../nn/network.ts"
import type { Optimizer } from "../optim/optimizer.ts"
import type { Schedule } from "../optim/schedule.ts"
import { type BoundTensors, bind, createSession, type Session, type SessionOptions } from "./ort.ts"

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

/** What a step reports; the arrays are overwritten by the next step. */
export interface StepResult {
  readonly loss: number
  readonly learningRate: number
  readonly observed: Readonly<Record<string, Float32Array>>
}

/** Weights, statistics and optimiser state, all that a later step depends on. */
export interface TrainingState {
  readonly parameters: TensorMap
  /** By `slot of parameter`. */
  readonly optimizer: TensorMap
}

/** One compiled training step: forward, loss, backward and update in a single run of ONNX Runtime. */
export interface TrainStep {
  /**
   * Trains on one batch.
   *
   * @param feeds the graph's other inputs by name, e.g. images [B, C, H, W] and targets [B]
   * @param progress steps done over steps in all, before this step
   */
  run(feeds: Readonly<Record<string, Tensor>>, progress: number): Promise<StepResult>
  /** A view of the current state; the next step but one writes over it. */
  state(): TrainingState
  /** Copies a state in; missing optimiser state becomes zero. */
  load(state: TrainingState): void
  release(): Promise<void>
}

const nextName = (name: string) => `next ${name}`
const slotName = (slot: string, parameter: string) => `${slot} of ${parameter}`
const lossOutput = "loss"
const learningRateOutput = "learning rate"

/** Adds gradients and updates to a training graph; the outputs stand in the order in which memory is freed soonest. */
export function buildTrainingOutputs(spec: TrainingSpec): { outputs: Record<string, Value>; stateInputs: Value[] } {
  const { graph, network, loss, optimizer, schedule, progress } = spec
  const trained = network.specs.filter(({ kind }) => kind === "parameter")
  const values = trained.map(({ name }) => network.values.get(name) as Value)
  const parameterGradients = gradients(graph, loss, values)
  const learningRate = mul(schedule(progress), spec.learningRate)
  const outputs: Record<string, Value> = {}
  const stateInputs: Value[] = []
  for (const [index, { name, shape }] of trained.entries()) {
    const state = Object.fromEntries(
      optimizer.slots.map((slot) => [slot, graph.input(slotName(slot, name), "float32", shape)]),
    )
    stateInputs.push(...Object.values(state))
    const update = optimizer.update(values[index] as Value, parameterGradients[index] as Value, state, learningRate)
    for (const slot of optimizer.slots) outputs[nextName(slotName(slot, name))] = update.state[slot] as Value
    outputs[nextName(name)] = update.parameter
  }
  for (const [name, updated] of network.bufferUpdates) outputs[nextName(name)] = updated
  return {
    outputs: { ...outputs, ...spec.observed, [learningRateOutput]: learningRate, [lossOutput]: loss },
    stateInputs,
  }
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
  const { outputs, stateInputs } = buildTrainingOutputs(spec)
  const lowered = lower(spec.graph, outputs, plan)
  const session = await createSession(encodeModel(lowered.graph, lowered.outputs), options)
  return new BoundTrainStep(spec, session, stateInputs, outputs)
}

/**
 * Two sets of tensors hold the state; each step reads one and writes the other, so that no node can see a weight that
 * an update already wrote over.
 */
class BoundTrainStep implements TrainStep {
  readonly #session: Session
  readonly #parameterNames: readonly string[]
  readonly #stateNames: readonly string[]
  readonly #progressName: string
  readonly #progress = floatTensor([])
  readonly #reports: Record<string, Tensor>
  readonly #observedNames: readonly string[]
  readonly #sides: readonly [Side, Side]
  #current = 0

  constructor(
    { network, progress, observed }: TrainingSpec,
    session: Session,
    stateInputs: readonly Value[],
    outputs: Record<string, Value>,
  ) {
    this.#session = session
    this.#parameterNames = network.specs.map(({ name }) => name)
    this.#stateNames = stateInputs.map(({ name }) => name)
    this.#progressName = progress.name
    this.#observedNames = Object.keys(observed)
    const shapes = [...network.specs, ...stateInputs]
    const reportNames = [...this.#observedNames, learningRateOutput, lossOutput]
    this.#reports = Object.fromEntries(reportNames.map((name) => [name, floatTensor((outputs[name] as Value).shape)]))
    const boundReports = Object.fromEntries(Object.entries(this.#reports).map(([name, tensor]) => [name, bind(tensor)]))
    const side = () => createSide(shapes, outputs, boundReports)
    this.#sides = [side(), side()]
  }

  async run(feeds: Readonly<Record<string, Tensor>>, progress: number): Promise<StepResult> {
    const [from, to] = [this.#sides[this.#current] as Side, this.#sides[1 - this.#current] as Side]
    ;(this.#progress.data as Float32Array)[0] = progress
    const fed: Record<string, BoundTensors[string]> = { ...from.inputs, [this.#progressName]: bind(this.#progress) }
    for (const [name, tensor] of Object.entries(feeds)) fed[name] = bind(tensor)
    await this.#session.runInto(fed, to.outputs)
    this.#current = 1 - this.#current
    const report = (name: string) => (this.#reports[name] as Tensor).data as Float32Array
    return {
      loss: report(lossOutput)[0] as number,
      learningRate: report(learningRateOutput)[0] as number,
      observed: Object.fromEntries(this.#observedNames.map((name) => [name, report(name)])),
    }
  }

  state(): TrainingState {
    const { tensors } = this.#sides[this.#current] as Side
    const pick = (names: readonly string[]): TensorMap =>
      new Map(names.map((name) => [name, tensors.get(name) as Tensor]))
    return { parameters: pick(this.#parameterNames), optimizer: pick(this.#stateNames) }
  }

  load({ parameters, optimizer }: TrainingState): void {
    const { tensors } = this.#sides[this.#current] as Side
    for (const name of this.#parameterNames) copyInto(tensors.get(name) as Tensor, parameters.get(name), name)
    for (const name of this.#stateNames) {
      const saved = optimizer.get(name)
      if (saved === undefined) (tensors.get(name)?.data as Float32Array).fill(0)
      else copyInto(tensors.get(name) as Tensor, saved, name)
    }
  }

  async release(): Promise<void> {
    await this.#session.release()
  }
}

interface Side {
  readonly tensors: TensorMap
  readonly inputs: BoundTensors
  readonly outputs: BoundTensors
}

/** Memory for one copy of the state, bound both as inputs and as the outputs of the step that writes it. */
function createSide(
  values: readonly { readonly name: string; readonly shape: readonly number[] }[],
  outputs: Readonly<Record<string, Value>>,
  reports: BoundTensors,
): Side {
  const tensors = new Map(values.map(({ name, shape }) => [name, floatTensor(shape)]))
  const inputs = Object.fromEntries([...tensors].map(([name, tensor]) => [name, bind(tensor)]))
  for (const name of tensors.keys()) {
    if (outputs[nextName(name)] === undefined) throw new InternalError(`no update of ${name}`)
  }
  const written = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [nextName(name), tensor]))
  return { tensors, inputs, outputs: { ...written, ...reports } }
}

function copyInto(target: Tensor, source: Tensor | undefined, name: string): void {
  if (source === undefined || source.data.length !== target.data.length) {
    throw new InternalError(
      `state of ${name}: expected [${target.shape}], got ${source === undefined ? "none" : `[${source.shape}]`}`,
    )
  }
  ;(target.data as Float32Array).set(source.data as Float32Array)
}
