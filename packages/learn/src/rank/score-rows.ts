import { floatTensor, type Tensor, type TensorMap } from "@learnloss/engine"
import type { FeatureBlock } from "../frozen/frozen-network.ts"
import type { Matrix } from "../strategies/strategy.ts"
import { throwIfAborted } from "../training/interruption.ts"
import type { FeatureRows } from "./feature-rows.ts"
import { compileModule, featuresInput } from "./module-graph.ts"

export interface ScoreRowsOptions {
  /** Standardised as in training. */
  readonly rows: FeatureRows
  readonly blocks: readonly FeatureBlock[]
  /** Of the module's layers. */
  readonly width: number
  readonly weights: TensorMap
  readonly positions: readonly number[]
  readonly threads: number
  readonly signal: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
}

const batch = 256

/**
 * Predicted loss of the rows at the given positions, in their order.
 *
 * @throws LearnlossError `INTERRUPTED`
 */
export async function scoreRows(options: ScoreRowsOptions): Promise<Float32Array> {
  const scores = new Float32Array(options.positions.length)
  await runModule(options, ({ predictedLoss }, start, count) => {
    scores.set(((predictedLoss as Tensor).data as Float32Array).subarray(0, count), start)
  })
  return scores
}

/**
 * What the module's last layer reads, for the rows at the given positions; all of it is held in memory.
 *
 * @throws LearnlossError `INTERRUPTED`
 */
export async function embedRows(options: ScoreRowsOptions): Promise<Matrix> {
  let columns = 0
  let data = new Float32Array(0)
  await runModule(options, ({ embedding }, start, count) => {
    const { shape, data: values } = embedding as Tensor
    if (columns === 0) {
      columns = shape[1] as number
      data = new Float32Array(options.positions.length * columns)
    }
    data.set((values as Float32Array).subarray(0, count * columns), start * columns)
  })
  return { rows: options.positions.length, columns, data }
}

async function runModule(
  { rows, blocks, width, weights, positions, threads, signal, onProgress }: ScoreRowsOptions,
  take: (results: Readonly<Record<string, Tensor>>, start: number, count: number) => void,
): Promise<void> {
  const module = await compileModule({ batch, columns: rows.width, blocks }, { width, weights, threads })
  const features = new Float32Array(batch * rows.width)
  try {
    for (let start = 0; start < positions.length; start += batch) {
      throwIfAborted(signal, "scoring")
      const some = positions.slice(start, start + batch)
      rows.read(some, features)
      take(await module.run({ [featuresInput]: floatTensor([batch, rows.width], features) }), start, some.length)
      onProgress?.(start + some.length, positions.length)
    }
  } finally {
    await module.release()
  }
}
