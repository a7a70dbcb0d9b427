import { InternalError } from "../errors.ts"
import { floatTensor, type Shape, sizeOf, type Tensor } from "../graph/tensor.ts"
import type { TensorMap } from "../nn/network.ts"
import { type BoundTensors, bind, createSession, type Session, type SessionOptions } from "./ort.ts"

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
  readonly holds: "parameters" | "optimizer"
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

/**
 * A compiled training graph with its state in memory. A step writes the new state over the old one: every layer reads its
 * own copy of its weights, taken from the packs before any gradient exists, and in each pack the last op to read it is the
 * one that writes it. Nothing is allocated per step.
 */
export class ResidentStep {
  readonly #session: Session
  readonly #layout: TrainStepLayout
  readonly #progress = floatTensor([])
  readonly #reports: TensorMap
  readonly #packs: TensorMap
  readonly #inputs: BoundTensors
  readonly #outputs: BoundTensors

  private constructor(session: Session, layout: TrainStepLayout) {
    this.#session = session
    this.#layout = layout
    this.#reports = new Map(layout.reports.map(({ name, shape }) => [name, floatTensor(shape)]))
    const lengthOf = ({ members }: PackLayout) => members.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
    this.#packs = new Map(layout.packs.map((pack) => [pack.name, floatTensor([lengthOf(pack)])]))
    const bound = [...this.#packs].map(([name, tensor]) => [name, bind(tensor)] as const)
    this.#inputs = { ...Object.fromEntries(bound), [layout.progress]: bind(this.#progress) }
    this.#outputs = Object.fromEntries([
      ...bound.map(([name, tensor]) => [nextName(name), tensor]),
      ...[...this.#reports].map(([name, tensor]) => [name, bind(tensor)]),
    ])
  }

  static async open(model: Uint8Array, options: SessionOptions, layout: TrainStepLayout): Promise<ResidentStep> {
    return new ResidentStep(await createSession(model, options), layout)
  }

  async run(feeds: Readonly<Record<string, Tensor>>, progress: number): Promise<StepReports> {
    ;(this.#progress.data as Float32Array)[0] = progress
    const fed = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, bind(tensor)]))
    await this.#session.runInto({ ...this.#inputs, ...fed }, this.#outputs)
    const reports = Object.fromEntries([...this.#reports].map(([name, { data }]) => [name, data as Float32Array]))
    return { reports, finishedAt: performance.timeOrigin + performance.now() }
  }

  /** A view of the current state; the next step writes over it. */
  state(): TrainingState {
    return { parameters: this.#views("parameters"), optimizer: this.#views("optimizer") }
  }

  load(state: TrainingState): void {
    for (const holds of ["parameters", "optimizer"] as const) {
      for (const [name, { shape, data }] of this.#views(holds)) {
        const source = state[holds].get(name) ?? (holds === "optimizer" ? floatTensor(shape) : undefined)
        if (source === undefined || source.data.length !== data.length) {
          throw new InternalError(
            `state of ${name}: expected [${shape}], got ${source === undefined ? "none" : `[${source.shape}]`}`,
          )
        }
        ;(data as Float32Array).set(source.data as Float32Array)
      }
    }
  }

  /** Each member's part of its pack's memory. */
  #views(holds: PackLayout["holds"]): TensorMap {
    const views = new Map<string, Tensor>()
    for (const pack of this.#layout.packs) {
      if (pack.holds !== holds) continue
      const { data } = this.#packs.get(pack.name) as Tensor
      let offset = 0
      for (const { name, shape } of pack.members) {
        const size = sizeOf(shape)
        views.set(
          holds === "optimizer" ? `${pack.name}/${name}` : name,
          floatTensor(shape, (data as Float32Array).subarray(offset, offset + size)),
        )
        offset += size
      }
    }
    return views
  }

  async release(): Promise<void> {
    await this.#session.release()
  }
}
