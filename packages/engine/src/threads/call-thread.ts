import { type TransferListItem, Worker } from "node:worker_threads"
import { InternalError } from "../errors.ts"
import { errorFrom, type Failure } from "./failure.ts"

/** Calls that a thread answers: argument and result of each, by name. */
export type Calls = { readonly [method: string]: readonly [argument: unknown, result: unknown] }

/** One call on its way to a thread. */
export interface CallRequest {
  readonly call: number
  readonly method: string
  readonly argument: unknown
}

/** What a thread answers to a call. */
export type CallReply =
  | { readonly call: number; readonly result: unknown }
  | { readonly call: number; readonly failure: Failure }

interface Pending {
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

/**
 * A worker thread that answers calls with `answerCalls`. It starts with the first call, and does not keep a process alive
 * that waits for nothing. When it dies, the calls under way fail and the next one starts it again.
 */
export class CallThread<C extends Calls> {
  readonly #module: URL
  readonly #name: string
  readonly #pending = new Map<number, Pending>()
  #worker: Worker | undefined
  #nextCall = 1

  /**
   * @param module what the thread runs, ending in `.ts` where the caller itself runs from sources
   * @param name what errors call the thread, e.g. `a compute thread`
   */
  constructor(module: URL, name: string) {
    this.#module = module
    this.#name = name
  }

  /** @param transfer memory that goes to the thread without a copy and is gone here */
  call<M extends keyof C & string>(
    method: M,
    argument: C[M][0],
    transfer: readonly TransferListItem[] = [],
  ): Promise<C[M][1]> {
    this.#worker ??= this.#start()
    const worker = this.#worker
    return new Promise((resolve, reject) => {
      const call = this.#nextCall++
      const request: CallRequest = { call, method, argument }
      worker.postMessage(request, transfer)
      if (this.#pending.size === 0) worker.ref()
      this.#pending.set(call, { resolve, reject })
    })
  }

  /** Ends the thread; calls under way fail. */
  async release(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    this.#fail(new InternalError(`${this.#name} was released under a call`))
    await worker?.terminate()
  }

  #start(): Worker {
    const started = new Worker(...workerSource(this.#module))
    started.unref()
    started.on("message", (reply: CallReply) => {
      const waiting = this.#pending.get(reply.call)
      this.#pending.delete(reply.call)
      if (this.#pending.size === 0) started.unref()
      if ("failure" in reply) waiting?.reject(errorFrom(reply.failure))
      else waiting?.resolve(reply.result as never)
    })
    started.on("error", (error) => this.#abandon(started, error instanceof Error ? error : new Error(String(error))))
    started.on("messageerror", (error) => this.#abandon(started, error))
    started.on("exit", (code) => this.#abandon(started, new InternalError(`${this.#name} ended with code ${code}`)))
    return started
  }

  #abandon(worker: Worker, error: Error): void {
    // An older worker may end after a new one was started; the calls under way are not its.
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#fail(error)
  }

  #fail(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }
}

/** Node 20 cannot start a TypeScript worker, so from sources it goes through the loader that tests and scripts use. */
function workerSource(module: URL): ConstructorParameters<typeof Worker> {
  if (!module.pathname.endsWith(".ts")) return [module]
  const start = `import("tsx/esm/api").then(({ register }) => { register(); return import(${JSON.stringify(module.href)}) })`
  // Other packages are read from their sources too.
  return [start, { eval: true, execArgv: ["--conditions=source"] }]
}
