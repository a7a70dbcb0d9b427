import {
  compileEvaluation,
  type Device,
  type LoweredGraph,
  type LoweringPlan,
  type Tensor,
  type TensorMap,
} from "@learnloss/engine"
import type { SampleSet } from "../data/dataset.ts"
import type { Matrix } from "../strategies/strategy.ts"
import type { BatchMaker } from "./batches.ts"
import { defaultEvaluationBatch } from "./choose-evaluation.ts"
import { throwIfAborted } from "./interruption.ts"
import { buildEvaluation, type EvaluatedName, type Learner } from "./learner.ts"

export interface EvaluateOptions<Target> {
  readonly learner: Learner
  readonly weights: TensorMap
  readonly batches: BatchMaker<Target>
  readonly samples: SampleSet<Target>
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
  /** Turns the graph of what is wanted into the one that is run; its outputs are then those that are given. */
  readonly rewrite?: (built: LoweredGraph) => LoweredGraph
}

/**
 * Computes values for samples as they are, never augmented.
 *
 * @returns one row per position, in their order, for each wanted name
 * @throws LearnlossError `INTERRUPTED`
 */
export async function evaluateSamples<Target>(
  options: EvaluateOptions<Target>,
): Promise<Record<EvaluatedName, Matrix>> {
  return (await evaluateGraph(options)) as Record<EvaluatedName, Matrix>
}

/** The same for whatever outputs a rewritten graph has, each of one row a sample. */
export async function evaluateGraph<Target>(options: EvaluateOptions<Target>): Promise<Record<string, Matrix>> {
  const { learner, weights, batches, samples, positions, wanted, threads, device, signal, onProgress } = options
  const batch = Math.min(options.evaluationBatch ?? defaultEvaluationBatch, positions.length)
  const built: LoweredGraph = buildEvaluation(learner, batch, weights, wanted)
  const graph = options.rewrite?.(built) ?? built
  const columns = Object.fromEntries(
    Object.entries(graph.outputs).map(([name, { shape }]): [string, Matrix] => {
      const width = shape[1] ?? 1
      return [name, { rows: positions.length, columns: width, data: new Float32Array(positions.length * width) }]
    }),
  )
  const withTargets = wanted.includes("targetLoss")
  const session = await compileEvaluation(graph.graph, graph.outputs, { threads, device }, options.plan)
  const feedsAt = (start: number) => {
    const chosen = positions.slice(start, start + batch)
    // The graph's batch size is fixed, so a last short batch is filled with its first sample.
    while (chosen.length < batch) chosen.push(chosen[0] as number)
    return batches.evaluation(samples, chosen, withTargets)
  }
  try {
    let feeds = await feedsAt(0)
    for (let start = 0; start < positions.length; start += batch) {
      throwIfAborted(signal, "evaluation")
      const running = session.run(feeds)
      const next = start + batch
      const preparing = next < positions.length ? feedsAt(next) : feeds
      const [prepared, results] = await Promise.all([preparing, running])
      feeds = prepared
      const count = Math.min(batch, positions.length - start)
      for (const [name, { columns: width, data }] of Object.entries(columns)) {
        const values = (results[name] as Tensor).data as Float32Array
        data.set(values.subarray(0, count * width), start * width)
      }
      onProgress(start + count, positions.length)
    }
  } finally {
    await session.release()
  }
  return columns
}
