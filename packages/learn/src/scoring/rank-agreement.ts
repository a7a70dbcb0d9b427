import type { Matrix } from "../strategies/strategy.ts"

/** How alike two scorings of the same samples order them. */
export interface RankAgreement {
  /** Spearman's rank correlation, -1..1; equal scores share their mean rank. */
  readonly rankCorrelation: number
  /** Of the `topCount` samples that the reference scores highest, the share that the other scores highest too. */
  readonly topShare: number
  readonly topCount: number
}

/**
 * Compares scores with reference scores of the same samples.
 *
 * @param topCount samples that would be selected, 1..their number
 */
export function rankAgreement(scores: Float32Array, reference: Float32Array, topCount: number): RankAgreement {
  const wanted = new Set(highest(reference, topCount))
  const found = highest(scores, topCount).filter((position) => wanted.has(position)).length
  return { rankCorrelation: correlation(ranks(scores), ranks(reference)), topShare: found / topCount, topCount }
}

function highest(scores: Float32Array, count: number): number[] {
  const order = Array.from(scores, (_, position) => position)
  // The sort is stable: of equals, both scorings take the first.
  return order.sort((a, b) => (scores[b] as number) - (scores[a] as number)).slice(0, count)
}

/** Rank of each score from the lowest; equals share the mean of their ranks. */
function ranks(scores: Float32Array): Float64Array {
  const order = Array.from(scores, (_, position) => position)
  order.sort((a, b) => (scores[a] as number) - (scores[b] as number))
  const result = new Float64Array(scores.length)
  for (let start = 0; start < order.length; ) {
    let end = start + 1
    while (end < order.length && scores[order[end] as number] === scores[order[start] as number]) end++
    for (let at = start; at < end; at++) result[order[at] as number] = (start + end - 1) / 2
    start = end
  }
  return result
}

/** Pearson's correlation; 1 where neither side tells anything apart, 0 where one alone does. */
function correlation(a: Float64Array, b: Float64Array): number {
  const middle = (a.length - 1) / 2
  let [product, squaresA, squaresB] = [0, 0, 0]
  for (let at = 0; at < a.length; at++) {
    const [x, y] = [(a[at] as number) - middle, (b[at] as number) - middle]
    product += x * y
    squaresA += x * x
    squaresB += y * y
  }
  if (squaresA === 0 && squaresB === 0) return 1
  return squaresA === 0 || squaresB === 0 ? 0 : product / Math.sqrt(squaresA * squaresB)
}

/** Euclidean distance of each row to the nearest of some others: what core-set scores a candidate by. */
export function nearestDistances(rows: Matrix, others: Matrix): Float32Array {
  const { columns } = rows
  return Float32Array.from({ length: rows.rows }, (_, row) => {
    let nearest = Number.POSITIVE_INFINITY
    for (let other = 0; other < others.rows; other++) {
      let distance = 0
      for (let column = 0; column < columns && distance < nearest; column++) {
        const difference =
          (rows.data[row * columns + column] as number) - (others.data[other * columns + column] as number)
        distance += difference * difference
      }
      nearest = Math.min(nearest, distance)
    }
    return Math.sqrt(nearest)
  })
}
