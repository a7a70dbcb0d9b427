import type { CycleRecord, Int8Scoring } from "@learnloss/contract"
import { InternalError, type Rng } from "@learnloss/engine"
import type { Matrix, Signals } from "../strategies/strategy.ts"
import { type EvaluateOptions, evaluateSamples } from "../training/evaluate.ts"
import { createPace } from "./pace.ts"
import { nearestDistances, rankAgreement } from "./rank-agreement.ts"

/** What a cycle record says of scoring in int8. */
export type Int8Fields = Required<
  Pick<CycleRecord, "int8" | "int8MsPerImage" | "float32MsPerImage" | "int8ExtraSeconds">
>

export interface CompareOptions {
  readonly shared: Omit<EvaluateOptions, "positions" | "onProgress">
  /** As they were computed in int8. */
  readonly signals: Signals
  /** Positions of the candidates, in the order of the signals. */
  readonly positions: readonly number[]
  /** Positions of the labelled samples, in the order of `signals.labeledEmbedding`. */
  readonly labeled: readonly number[]
  readonly selected: number
  readonly rng: Rng
}

/** Candidates that are scored in float32 as well, and labelled samples that embeddings are measured from. */
const comparedImages = 512

/**
 * Scores a random part of the candidates in float32 and compares the order. Embeddings, which have no order, are compared
 * by the distance to the nearest of some labelled samples, which is what core-set takes for a score.
 */
export async function compareWithFloat32(options: CompareOptions): Promise<{
  readonly agreement: Pick<Int8Scoring, "samples" | "rankCorrelation" | "topCount" | "topShare">
  readonly msPerImage: number | null
  readonly ms: number
}> {
  const { shared, signals, positions, labeled, selected, rng } = options
  const start = performance.now()
  const rows = rng.child("compared").permutation(positions.length).slice(0, comparedImages)
  const isByDistance = signals.labeledEmbedding !== undefined
  const labeledRows = isByDistance ? rng.child("labeled").permutation(labeled.length).slice(0, comparedImages) : []
  const chosen = [...rows.map((row) => positions[row] as number), ...labeledRows.map((row) => labeled[row] as number)]
  const pace = createPace()
  const reference = await evaluateSamples({ ...shared, positions: chosen, onProgress: pace.note })
  const count = rows.length
  const topCount = Math.min(count, Math.max(1, Math.round((selected / positions.length) * count)))
  const agreement = rankAgreement(
    scoresOf(
      {
        ...(signals.predictedLoss ? { predictedLoss: pick(column(signals.predictedLoss), rows).data } : {}),
        ...(signals.uncertainty ? { uncertainty: pick(column(signals.uncertainty), rows).data } : {}),
        ...(signals.embedding ? { embedding: pick(signals.embedding, rows) } : {}),
      },
      signals.labeledEmbedding && pick(signals.labeledEmbedding, labeledRows),
    ),
    scoresOf(
      {
        ...(signals.predictedLoss ? { predictedLoss: reference.predictedLoss.data.subarray(0, count) } : {}),
        ...(signals.uncertainty ? { uncertainty: reference.uncertainty.data.subarray(0, count) } : {}),
        ...(signals.embedding ? { embedding: part(reference.embedding, 0, count) } : {}),
      },
      isByDistance ? part(reference.embedding, count, chosen.length) : undefined,
    ),
    topCount,
  )
  return { agreement: { samples: count, ...agreement }, msPerImage: pace.msPerImage(), ms: performance.now() - start }
}

/** One score a sample, of the signals that there are. */
function scoresOf(signals: Omit<Signals, "ids">, labeled: Matrix | undefined): Float32Array {
  const scores = signals.predictedLoss ?? signals.uncertainty
  if (scores !== undefined) return scores
  if (signals.embedding === undefined || labeled === undefined) throw new InternalError("nothing to compare scores by")
  return nearestDistances(signals.embedding, labeled)
}

const column = (data: Float32Array): Matrix => ({ rows: data.length, columns: 1, data })

function pick({ columns, data }: Matrix, rows: readonly number[]): Matrix {
  const picked = new Float32Array(rows.length * columns)
  for (const [index, row] of rows.entries())
    picked.set(data.subarray(row * columns, (row + 1) * columns), index * columns)
  return { rows: rows.length, columns, data: picked }
}

function part({ columns, data }: Matrix, start: number, end: number): Matrix {
  return { rows: end - start, columns, data: data.subarray(start * columns, end * columns) }
}
