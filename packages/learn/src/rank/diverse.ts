import type { Rng } from "@learnloss/engine"
import type { Matrix } from "../strategies/strategy.ts"

/** Distances are compared in so many dimensions: a random projection keeps them to a few percent and bounds the cost. */
const mostDimensions = 64

/**
 * Chooses n of the rows so that they cover what the rows hold: as many centres are spread over the embedding, each the row
 * farthest from those before (k-centre greedy, Gonzalez 1985), and of the rows nearest to a centre the one of highest score
 * is taken. Near copies share a centre, so one of them is chosen; unlike k-means no start has to be drawn and nothing
 * iterates: n times the number of rows is all it costs.
 *
 * @param embedding of the candidates, in falling order of score
 * @returns positions in the candidates, in rising order
 */
export function chooseDiverse(embedding: Matrix, n: number, rng: Rng): number[] {
  const { rows, columns, data } = projected(embedding, rng)
  if (n >= rows) return Array.from({ length: rows }, (_, row) => row)
  const nearest = new Float64Array(rows).fill(Number.POSITIVE_INFINITY)
  const centerOf = new Int32Array(rows)
  // The first candidate has the highest score and is always wanted.
  let center = 0
  for (let count = 0; count < n; count++) {
    nearest[center] = 0
    centerOf[center] = count
    let farthest = 0
    for (let row = 0; row < rows; row++) {
      const known = nearest[row] as number
      let distance = 0
      for (let column = 0; column < columns && distance < known; column++) {
        const difference = (data[row * columns + column] as number) - (data[center * columns + column] as number)
        distance += difference * difference
      }
      if (distance < known) {
        nearest[row] = distance
        centerOf[row] = count
      }
      if ((nearest[row] as number) > (nearest[farthest] as number)) farthest = row
    }
    // All others are copies of chosen ones: the best scores among them fill the batch.
    if ((nearest[farthest] as number) === 0) break
    center = farthest
  }
  return bestOfEach(centerOf, n)
}

/** The first row of each centre, which has its highest score; further first rows where there are too few centres. */
function bestOfEach(centerOf: Int32Array, n: number): number[] {
  const taken = new Set<number>()
  const seen = new Set<number>()
  for (const [row, center] of centerOf.entries()) {
    if (!seen.has(center)) taken.add(row)
    seen.add(center)
  }
  for (let row = 0; row < centerOf.length && taken.size < n; row++) taken.add(row)
  return [...taken].sort((a, b) => a - b)
}

/** Random signs, after Achlioptas 2003. */
function projected(matrix: Matrix, rng: Rng): Matrix {
  const { rows, columns, data } = matrix
  if (columns <= mostDimensions) return matrix
  const signs = Float32Array.from({ length: mostDimensions * columns }, () => (rng.float() < 0.5 ? -1 : 1))
  const result = new Float32Array(rows * mostDimensions)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = data[row * columns + column] as number
      // What the module's ReLU has set to zero adds nothing.
      if (value === 0) continue
      for (let dimension = 0; dimension < mostDimensions; dimension++) {
        const at = row * mostDimensions + dimension
        result[at] = (result[at] as number) + value * (signs[column * mostDimensions + dimension] as number)
      }
    }
  }
  return { rows, columns: mostDimensions, data: result }
}
