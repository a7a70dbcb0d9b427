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
 * A compiled training graph with its state in memory. Two sets of tensors hold the state; each step reads one and writes
 * the other, so that no node can see a weight that an update already wrote over, and nothing is allocated per step.
 */
export class ResidentStep {
  readonly #session: Session
  readonly #layout: TrainStepLayout
  readonly #progress = floatTensor([])
  readonly #reports: TensorMap
  readonly #sides: readonly [Side, Side]
  #current: 0 | 1 = 0

  private constructor(session: Session, layout: TrainStepLayout) {
    this.#session = session
    this.#layout = layout
    this.#reports = new Map(layout.reports.map(({ name, shape }) => [name, floatTensor(shape)]))
    this.#sides = [createSide(layout, this.#reports), createSide(layout, this.#reports)]
  }

  static async open(model: Uint8Array, options: SessionOptions, layout: TrainStepLayout): Promise<ResidentStep> {
    return new ResidentStep(await createSession(model, options), layout)
  }

  async run(feeds: Readonly<Record<string, Tensor>>, progress: number): Promise<StepReports> {
    const from = this.#sides[this.#current]
    const to = this.#sides[1 - this.#current] as Side
    ;(this.#progress.data as Float32Array)[0] = progress
    const fed: Record<string, BoundTensors[string]> = { ...from.inputs, [this.#layout.progress]: bind(this.#progress) }
    for (const [name, tensor] of Object.entries(feeds)) fed[name] = bind(tensor)
    await this.#session.runInto(fed, to.outputs)
    this.#current = this.#current === 0 ? 1 : 0
    const reports = Object.fromEntries([...this.#reports].map(([name, { data }]) => [name, data as Float32Array]))
    return { reports, finishedAt: performance.timeOrigin + performance.now() }
  }

  /** A view of the current state; the next step but one writes over it. */
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
    const { tensors } = this.#sides[this.#current]
    const views = new Map<string, Tensor>()
    for (const pack of this.#layout.packs) {
      if (pack.holds !== holds) continue
      const data = tensors.get(pack.name)?.data as Float32Array
      let offset = 0
      for (const { name, shape } of pack.members) {
        const size = sizeOf(shape)
        views.set(
          holds === "optimizer" ? `${pack.name}/${name}` : name,
          floatTensor(shape, data.subarray(offset, offset + size)),
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

interface Side {
  readonly tensors: TensorMap
  readonly inputs: BoundTensors
  readonly outputs: BoundTensors
}

/** Memory for one copy of the state, bound both as inputs and as the outputs of the step that writes it. */
function createSide({ packs }: TrainStepLayout, reports: TensorMap): Side {
  const lengthOf = ({ members }: PackLayout) => members.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  const tensors = new Map(packs.map((pack) => [pack.name, floatTensor([lengthOf(pack)])]))
  const inputs = Object.fromEntries([...tensors].map(([name, tensor]) => [name, bind(tensor)]))
  const written = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [nextName(name), tensor]))
  const reported = Object.fromEntries([...reports].map(([name, tensor]) => [name, bind(tensor)]))
  return { tensors, inputs, outputs: { ...written, ...reported } }
}
