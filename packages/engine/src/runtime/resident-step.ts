import { floatTensor, type Shape, type Tensor } from "../graph/tensor.ts"
import type { TensorMap } from "../nn/network.ts"
import { type BoundTensors, bind, createSession, type Session, type SessionOptions } from "./ort.ts"
import { copyState, lengthOf, viewsOf } from "./packed-state.ts"
import type { Placement } from "./placement.ts"

/** Weights, statistics and optimiser state: all that a later step depends on. */
export interface TrainingState {
  readonly parameters: TensorMap
  /** By `slot/parameter`, e.g. `momentum/conv1.weight`. */
  readonly optimizer: TensorMap
}

interface NamedShape {
  readonly name: string
  readonly shape: Shape
}

/** A flat input that holds several tensors one after the other. */
export interface PackLayout {
  readonly name: string
  /** Slot of the optimiser's state that it is; null where the network reads it. */
  readonly slot: string | null
  readonly members: readonly NamedShape[]
}

/** Which inputs and outputs of a compiled training graph hold what. */
export interface TrainStepLayout {
  /** What each step reads and writes anew. */
  readonly packs: readonly PackLayout[]
  /** Name of the scalar input that says how much of training is done. */
  readonly progress: string
  /** Outputs that are read after every step. */
  readonly reports: readonly NamedShape[]
}

/** Output that holds what a tensor is after the step. */
export const nextName = (name: string) => `next ${name}`

/** What one run of the step gave. */
export interface StepReports {
  readonly reports: Readonly<Record<string, Float32Array>>
  readonly finishedAt: number
}

/** A training step that is ready to run, wherever its state is. */
export interface OpenStep {
  run(feeds: Readonly<Record<string, Tensor>>, progress: number): Promise<StepReports>
  /** The current state; valid until the next call. */
  state(): Promise<TrainingState>
  /** Copies a state in; missing optimiser state becomes zero. */
  load(state: TrainingState): Promise<void>
  /** Where the nodes run; undefined unless it was wanted and a step has run. */
  placement(): Placement | undefined
  release(): Promise<void>
}

/** A pack's memory: what the next step reads, and what it writes. */
interface Sides {
  readonly current: Tensor
  readonly next: Tensor
}

/**
 * A compiled training graph with its state in memory. What the network reads has two sides that change places after every
 * step: a layer's weights may be read after they were updated. Optimiser state is read by its own update alone, whose last
 * op writes over it. Nothing is allocated per step.
 */
export class ResidentStep implements OpenStep {
  readonly #session: Session
  readonly #layout: TrainStepLayout
  readonly #progress = floatTensor([])
  readonly #reports: TensorMap
  /** Both turns of the sides, and which one the next step takes. */
  readonly #turns: readonly [Turn, Turn]
  #turn: 0 | 1 = 0

  private constructor(session: Session, layout: TrainStepLayout) {
    this.#session = session
    this.#layout = layout
    this.#reports = new Map(layout.reports.map(({ name, shape }) => [name, floatTensor(shape)]))
    const sides = new Map(
      layout.packs.map((pack): [string, Sides] => {
        const current = floatTensor([lengthOf(pack)])
        return [pack.name, { current, next: pack.slot === null ? floatTensor(current.shape) : current }]
      }),
    )
    const swapped = new Map([...sides].map(([name, { current, next }]) => [name, { current: next, next: current }]))
    const fixed = {
      inputs: { [layout.progress]: bind(this.#progress) },
      outputs: Object.fromEntries([...this.#reports].map(([name, tensor]) => [name, bind(tensor)])),
    }
    this.#turns = [boundTurn(sides, fixed), boundTurn(swapped, fixed)]
  }

  static async open(model: Uint8Array, options: SessionOptions, layout: TrainStepLayout): Promise<ResidentStep> {
    return new ResidentStep(await createSession(model, options), layout)
  }

  async run(feeds: Readonly<Record<string, Tensor>>, progress: number): Promise<StepReports> {
    ;(this.#progress.data as Float32Array)[0] = progress
    const fed = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, bind(tensor)]))
    const { inputs, outputs } = this.#turns[this.#turn]
    await this.#session.runInto({ ...inputs, ...fed }, outputs)
    this.#turn = this.#turn === 0 ? 1 : 0
    const reports = Object.fromEntries([...this.#reports].map(([name, { data }]) => [name, data as Float32Array]))
    return { reports, finishedAt: performance.timeOrigin + performance.now() }
  }

  /** A view of the current state; the next step writes over it. */
  async state(): Promise<TrainingState> {
    return viewsOf(this.#layout.packs, this.#turns[this.#turn].state)
  }

  async load(state: TrainingState): Promise<void> {
    copyState(state, viewsOf(this.#layout.packs, this.#turns[this.#turn].state))
  }

  placement(): Placement | undefined {
    return this.#session.placement()
  }

  async release(): Promise<void> {
    await this.#session.release()
  }
}

/** State, inputs and outputs of a step. */
interface Turn {
  readonly state: TensorMap
  readonly inputs: BoundTensors
  readonly outputs: BoundTensors
}

function boundTurn(sides: ReadonlyMap<string, Sides>, fixed: Omit<Turn, "state">): Turn {
  const bound = (side: keyof Sides, nameOf: (name: string) => string) =>
    Object.fromEntries([...sides].map(([name, each]) => [nameOf(name), bind(each[side])]))
  return {
    state: new Map([...sides].map(([name, { current }]) => [name, current])),
    inputs: { ...bound("current", (name) => name), ...fixed.inputs },
    outputs: { ...bound("next", nextName), ...fixed.outputs },
  }
}
