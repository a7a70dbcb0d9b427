import { InternalError, type Rng } from "@learnloss/engine"
import type { Selection } from "./strategy.ts"

/** The n candidates of highest score, highest first; equal scores in random order. */
export function topScores(ids: readonly string[], scores: Float32Array | undefined, n: number, rng: Rng): Selection {
  if (scores === undefined || scores.length !== ids.length) {
    throw new InternalError(`${ids.length} candidates came with ${scores?.length ?? "no"} scores`)
  }
  // Shuffled first: the sort is stable, so chance alone orders equal scores.
  const order = rng.permutation(ids.length).sort((a, b) => (scores[b] as number) - (scores[a] as number))
  const chosen = order.slice(0, n)
  return { ids: chosen.map((index) => ids[index] as string), scores: chosen.map((index) => scores[index] as number) }
}
