import { parentPort, type TransferListItem } from "node:worker_threads"
import type { CallReply, CallRequest, Calls } from "./call-thread.ts"
import { describeFailure } from "./failure.ts"

/** How a thread answers each of its calls. */
export type Answers<C extends Calls> = { readonly [M in keyof C]: (argument: C[M][0]) => Promise<C[M][1]> }

/**
 * Answers the calls of a `CallThread`; runs on the thread. What is thrown goes to the caller.
 *
 * @param transferOf memory of a result that goes to the caller without a copy
 */
export function answerCalls<C extends Calls>(
  answers: Answers<C>,
  transferOf: (result: C[keyof C][1]) => readonly TransferListItem[] = () => [],
): void {
  parentPort?.on("message", async ({ call, method, argument }: CallRequest) => {
    let reply: CallReply
    let transfer: readonly TransferListItem[] = []
    try {
      const result = await (answers[method] as (argument: unknown) => Promise<unknown>)(argument)
      transfer = transferOf(result as C[keyof C][1])
      reply = { call, result }
    } catch (error) {
      reply = { call, failure: describeFailure(error) }
    }
    parentPort?.postMessage(reply, transfer)
  })
}
