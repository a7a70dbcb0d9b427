/**
 * Fewest single-character changes that turn one word into the other: an insertion, a deletion, a replacement or a swap
 * of neighbours (optimal string alignment).
 */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    beforeLast = last
    last = current
  }
  return at(last, to.length)
}

/**
 * The known name that a misspelt one most likely means, or undefined when none is close: at most a third of the longer
 * word may differ. Upper case, `_` and spaces count as their usual spelling; the first of equally close names wins.
 */
export function nearest<Known extends string>(name: string, known: readonly Known[]): Known | undefined {
  let best: Known | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    const distance = editDistance(canonical(name), canonical(candidate))
    const allowed = Math.max(1, Math.floor(Math.max(name.length, candidate.length) / 3))
    if (distance <= allowed && distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function canonical(name: string): string {
  return name.trim().toLowerCase().replaceAll(/[_\s]/g, "-")
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
