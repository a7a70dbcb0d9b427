import { AsyncLocalStorage } from "node:async_hooks"
import type { Tensor } from "../graph/tensor.ts"
import { CallThread } from "../threads/call-thread.ts"
import type { ComputeCalls } from "./compute-protocol.ts"
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

/** What compute threads run. */
const module = new URL(import.meta.url.endsWith(".ts") ? "./compute-worker.ts" : "./compute-worker.js", import.meta.url)

const threads = new Map<number, CallThread<ComputeCalls>>()

function currentThread(): CallThread<ComputeCalls> {
  const number = chosenThread.getStore() ?? 0
  const known = threads.get(number) ?? new CallThread<ComputeCalls>(module, "a compute thread")
  threads.set(number, known)
  return known
}
