import { InternalError, type Rng } from "@learnloss/engine"
import { type Matrix, type Strategy, withoutModule } from "./strategy.ts"

/**
 * k-centre greedy (Sener & Savarese 2018, algorithm 1): again and again the candidate that is farthest from everything
 * labelled or chosen so far. Distances are Euclidean in the network's embedding; a score is that distance.
 */
export const coreSet: Strategy = {
  needs: ["embedding", "labeledEmbedding"],
  training: withoutModule,
  select({ ids, embedding, labeledEmbedding }, n, rng) {
    if (embedding === undefined || labeledEmbedding === undefined) throw new InternalError("core-set needs embeddings")
    const { positions, distances } = farthestFirst(embedding, labeledEmbedding, n, rng)
    return { ids: positions.map((position) => ids[position] as string), scores: distances }
  },
}

/** Positions of n rows, each the farthest from the covered rows and those before it, and those distances. */
export function farthestFirst(
  candidates: Matrix,
  covered: Matrix,
  n: number,
  rng: Rng,
): { positions: number[]; distances: number[] } {
  const nearest = new Float64Array(candidates.rows).fill(Number.POSITIVE_INFINITY)
  for (let row = 0; row < covered.rows; row++) lowerDistances(nearest, candidates, covered, row)
  // Visited in random order, so that chance breaks ties and, with nothing covered, picks the first centre.
  const order = rng.permutation(candidates.rows)
  const positions: number[] = []
  const distances: number[] = []
  for (let count = 0; count < Math.min(n, candidates.rows); count++) {
    let farthest = -1
    for (const position of order) {
      if (
        (nearest[position] as number) >= 0 &&
        (farthest < 0 || (nearest[position] as number) > (nearest[farthest] as number))
      )
        farthest = position
    }
    positions.push(farthest)
    distances.push(Math.sqrt(nearest[farthest] as number))
    lowerDistances(nearest, candidates, candidates, farthest)
    nearest[farthest] = -1
  }
  return { positions, distances }
}

/** Lowers each candidate's squared distance to the nearest centre by one more centre; chosen rows (-1) stay out. */
function lowerDistances(nearest: Float64Array, candidates: Matrix, centers: Matrix, center: number): void {
  const { columns, data } = candidates
  const from = center * columns
  for (let row = 0; row < candidates.rows; row++) {
    const known = nearest[row] as number
    if (known < 0) continue
    let distance = 0
    const start = row * columns
    for (let column = 0; column < columns && distance < known; column++) {
      const difference = (data[start + column] as number) - (centers.data[from + column] as number)
      distance += difference * difference
    }
    if (distance < known) nearest[row] = distance
  }
}
