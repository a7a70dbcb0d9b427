/**
 * Share of all pairs of unequal true loss whose order the scores give rightly; equal scores count one half.
 * O(n log n): samples are visited by rising loss, and a Fenwick tree over score ranks counts those already seen.
 *
 * @returns null where no two losses differ
 */
export function rankingAccuracy(scores: ArrayLike<number>, losses: ArrayLike<number>): number | null {
  const order = Array.from({ length: losses.length }, (_, index) => index).sort(
    (a, b) => (losses[a] as number) - (losses[b] as number),
  )
  const levels = [...new Set(Array.from(scores))].sort((a, b) => a - b)
  const levelOf = new Map(levels.map((score, level) => [score, level + 1]))
  const tree = new Float64Array(levels.length + 1)
  const countUpTo = (level: number) => {
    let sum = 0
    for (let node = level; node > 0; node -= node & -node) sum += tree[node] as number
    return sum
  }
  let pairs = 0
  let right = 0
  for (let start = 0; start < order.length; ) {
    // At least one: a loss that is no number equals nothing, not even itself.
    let end = start + 1
    while (end < order.length && losses[order[end] as number] === losses[order[start] as number]) end++
    for (let index = start; index < end; index++) {
      const level = levelOf.get(scores[order[index] as number] as number) as number
      const below = countUpTo(level - 1)
      right += below + 0.5 * (countUpTo(level) - below)
      pairs += start
    }
    for (let index = start; index < end; index++) {
      const level = levelOf.get(scores[order[index] as number] as number) as number
      for (let node = level; node < tree.length; node += node & -node) tree[node] = (tree[node] as number) + 1
    }
    start = end
  }
  return pairs === 0 ? null : right / pairs
}

/** Mean true loss of the top share of samples by score over the mean of all; null where all losses are zero. */
export function lift(scores: ArrayLike<number>, losses: ArrayLike<number>, share = 0.05): number | null {
  const count = Math.max(1, Math.round(losses.length * share))
  const top = Array.from({ length: losses.length }, (_, index) => index)
    .sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b)
    .slice(0, count)
  const mean = Array.from(losses).reduce((sum, loss) => sum + loss, 0) / losses.length
  return mean === 0 ? null : top.reduce((sum, index) => sum + (losses[index] as number), 0) / count / mean
}
