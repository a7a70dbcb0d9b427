/** Largest difference of two arrays over the largest magnitude of the expected one; 0 for two empty arrays. */
export function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY
  let difference = 0
  let scale = 0
  for (let index = 0; index < expected.length; index++) {
    const [a, e] = [actual[index] as number, expected[index] as number]
    if (!Number.isFinite(a) || !Number.isFinite(e)) return Number.POSITIVE_INFINITY
    difference = Math.max(difference, Math.abs(a - e))
    scale = Math.max(scale, Math.abs(e))
  }
  return difference === 0 ? 0 : difference / Math.max(scale, 1e-12)
}
