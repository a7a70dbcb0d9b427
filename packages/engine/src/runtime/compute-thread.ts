import { AsyncLocalStorage } from "node:async_hooks"
import { Worker } from "node:worker_threads"
import { InternalError, LearnlossError } from "../errors.ts"
import type { Tensor } from "../graph/tensor.ts"
import type { ComputeCalls, ComputeFailure, ComputeMethod, ComputeReply } from "./compute-protocol.ts"
import type { SessionOptions } from "./ort.ts"
import type { Placement } from "./placement.ts"
import type { StepReports, TrainingState, TrainStepLayout } from "./resident-step.ts"

/** A training step on a compute thread. */
export interface RemoteStep {
  run(feeds: Readonly<Record<string, Tensor>>, progress: number): Promise<StepReports>
  state(): Promise<TrainingState>
  load(state: TrainingState): Promise<void>
  placement(): Promise<Placement | null>
  release(): Promise<void>
}

/** A session on a compute thread. */
export interface RemoteSession {
  run(
    feeds: Readonly<Record<string, Tensor>>,
    onFinished?: (finishedAt: number) => void,
  ): Promise<Record<string, Tensor>>
  placement(): Promise<Placement | null>
  release(): Promise<void>
}

/** The thread that the work of an asynchronous context computes on; 0 where nothing else was said. */
const chosenThread = new AsyncLocalStorage<number>()

/**
 * Lets sessions that `work` opens live on a compute thread of their own, so that what runs at once does not wait for
 * another's step. Sessions of one thread run one after the other.
 *
 * @param thread number of the thread, started when it is first needed; 0 is the one that everything else uses
 */
export function onComputeThread<T>(thread: number, work: () => Promise<T>): Promise<T> {
  return chosenThread.run(thread, work)
}

export async function openTrainStep(
  model: Uint8Array,
  options: SessionOptions,
  layout: TrainStepLayout,
): Promise<RemoteStep> {
  const thread = currentThread()
  const { id } = await thread.call("openStep", { model, options, layout })
  return {
    run: (feeds, progress) => thread.call("runStep", { id, feeds, progress }),
    state: () => thread.call("stateOfStep", { id }),
    load: async (state) => void (await thread.call("loadStep", { id, state })),
    placement: () => thread.call("placementOf", { id }),
    release: async () => void (await thread.call("release", { id })),
  }
}

export async function openSession(model: Uint8Array, options: SessionOptions): Promise<RemoteSession> {
  const thread = currentThread()
  const { id } = await thread.call("openSession", { model, options })
  return {
    async run(feeds, onFinished) {
      const { outputs, finishedAt } = await thread.call("runSession", { id, feeds })
      onFinished?.(finishedAt)
      return outputs
    },
    placement: () => thread.call("placementOf", { id }),
    release: async () => void (await thread.call("release", { id })),
  }
}

/** Names of the providers that ONNX Runtime was built with for this platform. */
export function listProviders(): Promise<readonly string[]> {
  return currentThread().call("providers", null)
}

interface Pending {
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

/** A worker that sessions live on. It does not keep an idle process alive. */
class ComputeThread {
  #worker: Worker | undefined
  readonly #pending = new Map<number, Pending>()
  #nextCall = 1

  call<M extends ComputeMethod>(method: M, argument: ComputeCalls[M][0]): Promise<ComputeCalls[M][1]> {
    this.#worker ??= this.#start()
    const worker = this.#worker
    return new Promise((resolve, reject) => {
      const number = this.#nextCall++
      if (this.#pending.size === 0) worker.ref()
      this.#pending.set(number, { resolve, reject })
      worker.postMessage({ call: number, method, argument })
    })
  }

  #start(): Worker {
    const started = new Worker(...workerSource())
    started.unref()
    started.on("message", (reply: ComputeReply) => {
      const waiting = this.#pending.get(reply.call)
      this.#pending.delete(reply.call)
      if (this.#pending.size === 0) started.unref()
      if ("failure" in reply) waiting?.reject(asError(reply.failure))
      else waiting?.resolve(reply.result as never)
    })
    started.on("error", (error) => this.#abandon(error instanceof Error ? error : new Error(String(error))))
    started.on("exit", (code) => this.#abandon(new InternalError(`a compute thread ended with code ${code}`)))
    return started
  }

  #abandon(error: Error): void {
    this.#worker = undefined
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }
}

const threads = new Map<number, ComputeThread>()

function currentThread(): ComputeThread {
  const number = chosenThread.getStore() ?? 0
  const known = threads.get(number) ?? new ComputeThread()
  threads.set(number, known)
  return known
}

function asError({ message, stack, typed }: ComputeFailure): Error {
  const error = typed === undefined ? new Error(message) : new LearnlossError(typed.code, typed.details)
  if (typed === undefined && stack !== undefined) error.stack = stack
  return error
}

/** Node 20 cannot start a TypeScript worker, so from sources it goes through the loader that tests and scripts use. */
function workerSource(): ConstructorParameters<typeof Worker> {
  const isSource = import.meta.url.endsWith(".ts")
  const url = new URL(isSource ? "./compute-worker.ts" : "./compute-worker.js", import.meta.url)
  if (!isSource) return [url]
  const start = `import("tsx/esm/api").then(({ register }) => { register(); return import(${JSON.stringify(url.href)}) })`
  return [start, { eval: true }]
}
