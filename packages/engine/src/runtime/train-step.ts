import { gradients } from "../autodiff/gradients.ts"
import { mul } from "../graph/build.ts"
import { encodeModel } from "../graph/codec.ts"
import type { Graph, Value } from "../graph/graph.ts"
import type { Tensor } from "../graph/tensor.ts"
import { lower } from "../lowering/lower.ts"
import type { LoweringPlan } from "../lowering/plan.ts"
import type { NetworkParts } from "../nn/network.ts"
import type { Optimizer } from "../optim/optimizer.ts"
import type { Schedule } from "../optim/schedule.ts"
import { openTrainStep } from "./compute-thread.ts"
import type { SessionOptions } from "./ort.ts"
import { nextName, type TrainingState, type TrainStepLayout } from "./resident-step.ts"

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
  release(): Promise<void>
}

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
  const observedNames = Object.keys(spec.observed)
  const layout: TrainStepLayout = {
    parameters: spec.network.specs.map(({ name, shape }) => ({ name, shape })),
    state: stateInputs.map(({ name, shape }) => ({ name, shape })),
    progress: spec.progress.name,
    reports: [...observedNames, learningRateOutput, lossOutput].map((name) => ({
      name,
      shape: (outputs[name] as Value).shape,
    })),
  }
  const step = await openTrainStep(encodeModel(lowered.graph, lowered.outputs), options, layout)
  return {
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
