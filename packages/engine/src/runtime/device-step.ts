import { identity } from "../graph/build.ts"
import { encodeModel } from "../graph/codec.ts"
import { Graph } from "../graph/graph.ts"
import { floatTensor, type Tensor } from "../graph/tensor.ts"
import type { TensorMap } from "../nn/network.ts"
import { type BoundTensors, bind, createSession, type Session, type SessionOptions, unbind } from "./ort.ts"
import { copyState, lengthOf, viewsOf } from "./packed-state.ts"
import type { Placement } from "./placement.ts"
import { nextName, type OpenStep, type StepReports, type TrainingState, type TrainStepLayout } from "./resident-step.ts"

interface Sessions {
  readonly step: Session
  /** Copies packs to the device, where its outputs stay. */
  readonly store: Session
  /** Copies packs from the device. */
  readonly fetch: Session
}

/**
 * A compiled training graph whose state stays on a GPU from one step to the next. ONNX Runtime's Node binding can leave
 * outputs there and be fed with them, but ends the process when such a tensor is read or written: so the state comes and
 * goes through sessions that do nothing but copy.
 */
export class DeviceStep implements OpenStep {
  readonly #sessions: Sessions
  readonly #layout: TrainStepLayout
  readonly #reports: readonly string[]
  /** On the device, by the name of the pack. */
  #state: BoundTensors = {}

  private constructor(sessions: Sessions, layout: TrainStepLayout) {
    this.#sessions = sessions
    this.#layout = layout
    this.#reports = layout.reports.map(({ name }) => name)
  }

  static async open(model: Uint8Array, options: SessionOptions, layout: TrainStepLayout): Promise<DeviceStep> {
    const keptOnDevice = layout.packs.map(({ name }) => nextName(name))
    const copying = copyingModel(layout)
    const plain = { ...options, isPlacementWanted: false }
    const opened: Session[] = []
    try {
      for (const [bytes, each] of [
        [model, { ...options, keptOnDevice }],
        [copying, { ...plain, keptOnDevice }],
        [copying, plain],
      ] as const) {
        opened.push(await createSession(bytes, each))
      }
      const [step, store, fetch] = opened as [Session, Session, Session]
      const deviceStep = new DeviceStep({ step, store, fetch }, layout)
      await deviceStep.#store(deviceStep.#zeros())
      return deviceStep
    } catch (error) {
      for (const session of opened) await session.release()
      throw error
    }
  }

  async run(feeds: Readonly<Record<string, Tensor>>, progress: number): Promise<StepReports> {
    const fed = Object.entries({ ...feeds, [this.#layout.progress]: floatTensor([], Float32Array.of(progress)) })
    const bound = Object.fromEntries(fed.map(([name, tensor]) => [name, bind(tensor)]))
    const results = await this.#sessions.step.runBound({ ...this.#state, ...bound })
    this.#replace(results)
    const reports = this.#reports.map((name) => [name, unbind(results[name] as BoundTensors[string]).data])
    return { reports: Object.fromEntries(reports), finishedAt: performance.timeOrigin + performance.now() }
  }

  async state(): Promise<TrainingState> {
    const results = await this.#sessions.fetch.runBound(this.#state)
    const memory = this.#layout.packs.map(
      ({ name }) => [name, unbind(results[nextName(name)] as BoundTensors[string])] as const,
    )
    return viewsOf(this.#layout.packs, new Map(memory))
  }

  async load(state: TrainingState): Promise<void> {
    const memory = this.#zeros()
    copyState(state, viewsOf(this.#layout.packs, memory))
    await this.#store(memory)
  }

  placement(): Placement | undefined {
    return this.#sessions.step.placement()
  }

  #zeros(): TensorMap {
    return new Map(this.#layout.packs.map((pack) => [pack.name, floatTensor([lengthOf(pack)])]))
  }

  async #store(memory: TensorMap): Promise<void> {
    const bound = [...memory].map(([name, tensor]) => [name, bind(tensor)] as const)
    this.#replace(await this.#sessions.store.runBound(Object.fromEntries(bound)))
  }

  /** Takes the next state for the current one, whose memory would else wait for a garbage collector that does not see it. */
  #replace(results: BoundTensors): void {
    const before = this.#state
    this.#state = Object.fromEntries(
      this.#layout.packs.map(({ name }) => [name, results[nextName(name)] as BoundTensors[string]]),
    )
    for (const tensor of Object.values(before)) tensor.dispose()
  }

  async release(): Promise<void> {
    for (const tensor of Object.values(this.#state)) tensor.dispose()
    this.#state = {}
    for (const session of Object.values(this.#sessions)) await session.release()
  }
}

/** Gives back every pack as it is. */
function copyingModel({ packs }: TrainStepLayout): Uint8Array {
  const graph = new Graph()
  const outputs = packs.map((pack) => {
    const value = graph.input(pack.name, "float32", [lengthOf(pack)])
    return [nextName(pack.name), identity(value)] as const
  })
  return encodeModel(graph, Object.fromEntries(outputs))
}
