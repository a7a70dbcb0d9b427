import { Worker } from "node:worker_threads"
import { InternalError, LearnlossError } from "../errors.ts"
import type { Tensor } from "../graph/tensor.ts"
import type { ComputeCalls, ComputeFailure, ComputeMethod, ComputeReply } from "./compute-protocol.ts"
import type { SessionOptions } from "./ort.ts"
import type { StepReports, TrainingState, TrainStepLayout } from "./resident-step.ts"

/** A training step on the compute thread. */
export interface RemoteStep {
  run(feeds: Readonly<Record<string, Tensor>>, progress: number): Promise<StepReports>
  state(): Promise<TrainingState>
  load(state: TrainingState): Promise<void>
  release(): Promise<void>
}

/** A session on the compute thread. */
export interface RemoteSession {
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>
  release(): Promise<void>
}

export async function openTrainStep(
  model: Uint8Array,
  options: SessionOptions,
  layout: TrainStepLayout,
): Promise<RemoteStep> {
  const { id } = await call("openStep", { model, options, layout })
  return {
    run: (feeds, progress) => call("runStep", { id, feeds, progress }),
    state: () => call("stateOfStep", { id }),
    load: async (state) => void (await call("loadStep", { id, state })),
    release: async () => void (await call("release", { id })),
  }
}

export async function openSession(model: Uint8Array, options: SessionOptions): Promise<RemoteSession> {
  const { id } = await call("openSession", { model, options })
  return {
    run: (feeds) => call("runSession", { id, feeds }),
    release: async () => void (await call("release", { id })),
  }
}

interface Pending {
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

/** One thread a process: sessions would only compete for the same cores. It does not keep an idle process alive. */
let worker: Worker | undefined
const pending = new Map<number, Pending>()
let nextCall = 1

function call<M extends ComputeMethod>(method: M, argument: ComputeCalls[M][0]): Promise<ComputeCalls[M][1]> {
  worker ??= startWorker()
  const target = worker
  return new Promise((resolve, reject) => {
    const number = nextCall++
    if (pending.size === 0) target.ref()
    pending.set(number, { resolve, reject })
    target.postMessage({ call: number, method, argument })
  })
}

function startWorker(): Worker {
  const started = new Worker(...workerSource())
  started.unref()
  started.on("message", (reply: ComputeReply) => {
    const waiting = pending.get(reply.call)
    pending.delete(reply.call)
    if (pending.size === 0) started.unref()
    if ("failure" in reply) waiting?.reject(asError(reply.failure))
    else waiting?.resolve(reply.result as never)
  })
  started.on("error", (error) => abandon(error instanceof Error ? error : new Error(String(error))))
  started.on("exit", (code) => abandon(new InternalError(`the compute thread ended with code ${code}`)))
  return started
}

function abandon(error: Error): void {
  worker = undefined
  for (const { reject } of pending.values()) reject(error)
  pending.clear()
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
