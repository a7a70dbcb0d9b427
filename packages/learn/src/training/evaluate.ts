import {
  compileEvaluation,
  type Device,
  type LoweredGraph,
  type LoweringPlan,
  sizeOf,
  type Tensor,
  type TensorMap,
} from "@learnloss/engine"
import type { SplitName } from "../data/dataset.ts"
import type { Matrix } from "../strategies/strategy.ts"
import type { BatchMaker, Feeds } from "./batches.ts"
import { defaultEvaluationBatch } from "./choose-evaluation.ts"
import { throwIfAborted } from "./interruption.ts"
import { buildEvaluation, type EvaluatedName, type Learner, viewsOf } from "./learner.ts"

export interface EvaluateOptions {
  readonly learner: Learner
  readonly weights: TensorMap
  readonly batches: BatchMaker
  readonly split: SplitName
  readonly positions: readonly number[]
  readonly wanted: readonly EvaluatedName[]
  readonly threads: number
  readonly device: Device
  /** Images at once; `defaultEvaluationBatch` where it is left out. */
  readonly evaluationBatch?: number
  /** How convolutions are computed; plain where it is left out. */
  readonly plan?: LoweringPlan
  readonly signal: AbortSignal
  readonly onProgress: (done: number, total: number) => void
  /** Takes the prediction of each sample as it comes, in the order of the positions; no row of it is kept then. */
  readonly onPrediction?: (prediction: unknown, index: number) => void
  /** Turns the graph of what is wanted into the one that is run; its outputs are then those that are given. */
  readonly rewrite?: (built: LoweredGraph) => LoweredGraph
  /** Is told for how many seconds the network had nothing to do because a batch was not ready. */
  readonly onWait?: ((seconds: number) => void) | undefined
}

/**
 * Computes values for samples as they are, never augmented.
 *
 * @returns one row per position, in their order, for each wanted name
 * @throws LearnlossError `INTERRUPTED`
 */
export async function evaluateSamples(options: EvaluateOptions): Promise<Record<EvaluatedName, Matrix>> {
  return (await evaluateGraph(options)) as Record<EvaluatedName, Matrix>
}

/** The same for whatever outputs a rewritten graph has, each of one row a sample. */
export async function evaluateGraph(options: EvaluateOptions): Promise<Record<string, Matrix>> {
  const { learner, weights, batches, split, positions, wanted, threads, device, signal, onProgress } = options
  // So many images at once were measured, mirror images among them.
  const samples = Math.ceil((options.evaluationBatch ?? defaultEvaluationBatch) / viewsOf(learner, wanted))
  const batch = Math.min(samples, positions.length)
  const built: LoweredGraph = buildEvaluation(learner, batch, weights, wanted)
  const graph = options.rewrite?.(built) ?? built
  const { onPrediction } = options
  const predicted = onPrediction === undefined ? undefined : graph.outputs.prediction
  const columns = Object.fromEntries(
    Object.entries(graph.outputs).flatMap(([name, value]): [string, Matrix][] => {
      if (value === predicted) return []
      const width = sizeOf(value.shape.slice(1))
      return [[name, { rows: positions.length, columns: width, data: new Float32Array(positions.length * width) }]]
    }),
  )
  const tell = (results: Record<string, Tensor>, done: number, count: number): void => {
    if (predicted === undefined) return
    const width = sizeOf(predicted.shape.slice(1))
    const { data } = results.prediction as Tensor
    for (let row = 0; row < count; row++) {
      const values = (data as Float32Array).subarray(row * width, (row + 1) * width)
      onPrediction?.(learner.task.decode(values), done + row)
    }
  }
  const withTargets = wanted.includes("targetLoss")
  const feedsAt = async (start: number): Promise<Feeds> => {
    const chosen = positions.slice(start, start + batch)
    // The graph's batch size is fixed, so a last short batch is filled with its first sample.
    while (chosen.length < batch) chosen.push(chosen[0] as number)
    return batches.evaluation(split, chosen, withTargets)
  }
  const compiling = compileEvaluation(graph.graph, graph.outputs, { threads, device }, options.plan)
  const first = handled(feedsAt(0))
  const session = await compiling
  let freeAt = now()
  let waitSeconds = 0
  /** Hands a batch over while the one before it runs, so that the network never waits for this thread. */
  const start = (feeds: Feeds): Promise<Record<string, Tensor>> => {
    const startedAt = now()
    return handled(
      session.run(feeds, (finishedAt) => {
        waitSeconds += Math.max(0, startedAt - freeAt) / 1000
        freeAt = finishedAt
      }),
    )
  }
  let running: Promise<unknown> = Promise.resolve()
  try {
    let current = start(await first)
    for (let done = 0; done < positions.length; done += batch) {
      running = current
      throwIfAborted(signal, "evaluation")
      const next = done + batch
      const upcoming = next < positions.length ? start(await feedsAt(next)) : current
      running = upcoming
      const results = await current
      current = upcoming
      const count = Math.min(batch, positions.length - done)
      for (const [name, { columns: width, data }] of Object.entries(columns)) {
        const values = (results[name] as Tensor).data as Float32Array
        data.set(values.subarray(0, count * width), done * width)
      }
      tell(results, done, count)
      onProgress(done + count, positions.length)
    }
  } finally {
    // A session must not be released under a batch that it has been handed.
    await Promise.allSettled([running])
    await session.release()
  }
  options.onWait?.(waitSeconds)
  return columns
}

/** Milliseconds of a clock that all threads share. */
function now(): number {
  return performance.timeOrigin + performance.now()
}

/** A promise that may fail before anybody waits for it. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
