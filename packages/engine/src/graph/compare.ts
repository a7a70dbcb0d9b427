/** Largest difference of two arrays over the largest magnitude of the expected one; 0 for two empty arrays. */
export function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY
  let difference = 0
  let scale = 0
  for (let index = 0; index < expected.length; index++) {
    const e = Math.abs(expected[index] as number)
    const apart = Math.abs((actual[index] as number) - (expected[index] as number))
    // Also when either is infinite or no number.
    if (!(apart < Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY
    if (apart > difference) difference = apart
    if (e > scale) scale = e
  }
  return difference === 0 ? 0 : difference / Math.max(scale, 1e-12)
}
