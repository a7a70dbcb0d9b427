import { createRng } from "@learnloss/engine"

/** A mean over trials. */
export interface Spread {
  readonly mean: number
  /** Sample standard deviation (divided by n - 1); null with one trial. */
  readonly std: number | null
  readonly trials: number
}

/** A point of a curve: labelled images and the main measure. */
export interface CurvePoint {
  readonly labels: number
  readonly value: number
}

/** A difference between two strategies in the same trials. */
export interface PairedDifference {
  readonly mean: number
  /** Sample standard deviation of the differences over the square root of their number; null with one pair. */
  readonly standardError: number | null
  readonly pairs: number
  /** Two-sided, see {@link signFlipTest}. */
  readonly p: number
  /** The smallest p that this many pairs can give at all: 2 / 2^pairs. */
  readonly smallestP: number
}

/** Mean and sample standard deviation of some values; null of none. */
export function spread(values: readonly number[]): Spread | null {
  if (values.length === 0) return null
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, std: values.length < 2 ? null : Math.sqrt(squares / (values.length - 1)), trials: values.length }
}

/**
 * Area under the budget curve: the trapezoid area under the main measure over labels, divided by the range of labels, so that a
 * curve that is level at a has the area a. Null with fewer than two points.
 */
export function areaUnderBudgetCurve(curve: readonly CurvePoint[]): number | null {
  const [first, last] = [curve[0], curve.at(-1)]
  if (first === undefined || last === undefined || curve.length < 2) return null
  let area = 0
  for (const [index, point] of curve.entries()) {
    const before = curve[index - 1]
    if (before !== undefined) area += ((point.value + before.value) / 2) * (point.labels - before.labels)
  }
  return area / (last.labels - first.labels)
}

/** The fewest labels at which a curve, straight between its points, reaches a value; null if it never does. */
export function labelsToReach(curve: readonly CurvePoint[], value: number): number | null {
  for (const [index, point] of curve.entries()) {
    if (point.value < value) continue
    const before = curve[index - 1]
    if (before === undefined) return point.labels
    const share = (value - before.value) / (point.value - before.value)
    return before.labels + share * (point.labels - before.labels)
  }
  return null
}

/** Above this many pairs the 2^n sign patterns are drawn at random instead of listed. */
const exactPairs = 20
const drawnPatterns = 50_000

/**
 * Sign-flip permutation test of a mean difference (two-sided): the share of all 2^n ways to flip the signs of the
 * differences whose sum is at least as far from zero. It assumes nothing about their distribution but symmetry.
 */
export function signFlipTest(differences: readonly number[]): number {
  const size = differences.length
  const scale = differences.reduce((sum, value) => sum + Math.abs(value), 0)
  const observed = Math.abs(differences.reduce((sum, value) => sum + value, 0))
  // Equal sums may differ in their last bits when added in another order.
  const atLeast = observed - 1e-9 * scale
  if (size > exactPairs) {
    const rng = createRng("sign-flip-test")
    let extreme = 1
    for (let draw = 0; draw < drawnPatterns; draw++) {
      let sum = 0
      for (const value of differences) sum += rng.float() < 0.5 ? value : -value
      if (Math.abs(sum) >= atLeast) extreme++
    }
    return extreme / (drawnPatterns + 1)
  }
  let extreme = 0
  for (let pattern = 0; pattern < 2 ** size; pattern++) {
    let sum = 0
    for (const [index, value] of differences.entries()) sum += (pattern >> index) & 1 ? -value : value
    if (Math.abs(sum) >= atLeast) extreme++
  }
  return extreme / 2 ** size
}

/** Mean, standard error and p of paired differences; null of none. */
export function pairedDifference(differences: readonly number[]): PairedDifference | null {
  const overall = spread(differences)
  if (overall === null) return null
  return {
    mean: overall.mean,
    standardError: overall.std === null ? null : overall.std / Math.sqrt(differences.length),
    pairs: differences.length,
    p: signFlipTest(differences),
    smallestP: Math.min(1, 2 / 2 ** differences.length),
  }
}
