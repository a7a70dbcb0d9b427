import type { Rng } from "@learnloss/engine"
import { lift, rankingAccuracy } from "../training/ranking-metrics.ts"

/** How well scores rank images whose losses were never trained on. */
export interface HeldOutFigures {
  readonly images: number
  /** Null where no two losses differ. */
  readonly rankingAccuracy: number | null
  /** Bounds that hold the true ranking accuracy in 95 of 100 cases. */
  readonly interval: readonly [number, number] | null
  readonly lift: number | null
}

const heldOutShare = 0.2
const fewestHeldOut = 10

/** Draws a fifth of the losses, at least ten, that are only measured on. */
export function splitHeldOut(count: number, rng: Rng): { readonly training: number[]; readonly heldOut: number[] } {
  const order = rng.permutation(count)
  const size = Math.max(fewestHeldOut, Math.round(heldOutShare * count))
  const inOrder = (positions: number[]) => positions.sort((a, b) => a - b)
  return { heldOut: inOrder(order.slice(0, size)), training: inOrder(order.slice(size)) }
}

/** Measures scores against losses. */
export function heldOutFigures(scores: ArrayLike<number>, losses: ArrayLike<number>): HeldOutFigures {
  const accuracy = rankingAccuracy(scores, losses)
  return {
    images: losses.length,
    rankingAccuracy: accuracy,
    interval: accuracy === null ? null : rankingInterval(scores, losses, accuracy),
    lift: lift(scores, losses),
  }
}

/** True when chance may have ranked as well. */
export function isNoBetterThanChance({ interval }: HeldOutFigures): boolean {
  return interval === null || interval[0] <= 0.5
}

/** Beyond this the spread is measured on the first samples, which stand in no order of loss. */
const mostForSpread = 4000

/**
 * 95% interval of a ranking accuracy. It is a ratio of two U-statistics over pairs, so its variance is that of each
 * sample's share in it (Hoeffding 1948; the delta method for the ratio): with c_i the credit and m_i the number of the
 * pairs that sample i is part of, sample i moves the accuracy a by 2 (c_i - a m_i) / mean(m) of a sample's weight.
 */
function rankingInterval(
  scores: ArrayLike<number>,
  losses: ArrayLike<number>,
  accuracy: number,
): readonly [number, number] {
  const total = losses.length
  const count = Math.min(total, mostForSpread)
  const moves = new Float64Array(count)
  let pairs = 0
  for (let i = 0; i < count; i++) {
    let credit = 0
    let own = 0
    for (let j = 0; j < count; j++) {
      const lossDifference = (losses[i] as number) - (losses[j] as number)
      if (lossDifference === 0) continue
      const scoreDifference = (scores[i] as number) - (scores[j] as number)
      own++
      credit += scoreDifference === 0 ? 0.5 : scoreDifference > 0 === lossDifference > 0 ? 1 : 0
    }
    moves[i] = credit - accuracy * own
    pairs += own
  }
  const meanPairs = pairs / count
  const squares = moves.reduce((sum, move) => sum + ((2 * move) / meanPairs) ** 2, 0)
  const standardError = Math.sqrt(squares / (count - 1) / total)
  const half = studentQuantile(total - 1) * standardError
  return [Math.max(0, accuracy - half), Math.min(1, accuracy + half)]
}

/** The 97.5% point of Student's t, by the Cornish-Fisher expansion about the normal's (exact to 0.01 from 5 degrees on). */
function studentQuantile(degrees: number): number {
  const z = 1.959964
  return z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2)
}
