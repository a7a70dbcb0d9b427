import { describe, expect, test } from "vitest"
import { areaUnderBudgetCurve, labelsToReach, pairedDifference, signFlipTest, spread } from "./statistics.ts"

const curve = [
  { labels: 100, value: 0.5 },
  { labels: 200, value: 0.7 },
  { labels: 400, value: 0.8 },
]

describe("spread", () => {
  test("divides by n - 1", () => {
    expect(spread([1, 2, 3, 4])).toEqual({ mean: 2.5, std: Math.sqrt(5 / 3), trials: 4 })
  })

  test("has no deviation of one value and nothing of none", () => {
    expect(spread([0.5])).toEqual({ mean: 0.5, std: null, trials: 1 })
    expect(spread([])).toBeNull()
  })
})

describe("areaUnderBudgetCurve", () => {
  test("weighs each stretch by its labels and divides by their range", () => {
    expect(areaUnderBudgetCurve(curve)).toBeCloseTo((0.6 * 100 + 0.75 * 200) / 300, 12)
  })

  test("of a level curve is its height", () => {
    expect(areaUnderBudgetCurve(curve.map(({ labels }) => ({ labels, value: 0.6 })))).toBeCloseTo(0.6, 12)
  })

  test("needs two points", () => {
    expect(areaUnderBudgetCurve(curve.slice(0, 1))).toBeNull()
  })
})

describe("labelsToReach", () => {
  test.each([
    [0.4, 100],
    [0.5, 100],
    [0.6, 150],
    [0.75, 300],
    [0.8, 400],
  ])("reaches %f at %i labels", (accuracy, labels) => {
    expect(labelsToReach(curve, accuracy)).toBeCloseTo(labels, 9)
  })

  test("is null above the curve", () => {
    expect(labelsToReach(curve, 0.81)).toBeNull()
  })

  test("takes the first crossing of a curve that falls again", () => {
    const falling = [...curve.slice(0, 2), { labels: 300, value: 0.6 }, { labels: 400, value: 0.9 }]
    expect(labelsToReach(falling, 0.65)).toBeCloseTo(175, 9)
  })
})

describe("signFlipTest", () => {
  test("counts the sign patterns whose sum is as far from zero", () => {
    expect(signFlipTest([1, 2, 3])).toBe(2 / 8)
    // Sums of +-1 +-2 +-1: 4, 2, 0, -2, 2, 0, -2, -4; six are at least 2 away from zero.
    expect(signFlipTest([1, 2, -1])).toBe(6 / 8)
  })

  test("cannot say anything about one trial or about no difference", () => {
    expect(signFlipTest([0.3])).toBe(1)
    expect(signFlipTest([0, 0, 0])).toBe(1)
  })

  test("is not misled by sums that differ in their last bits", () => {
    expect(signFlipTest([0.1, 0.2, 0.3])).toBe(0.25)
    expect(signFlipTest([0.1, 0.2, -0.3])).toBe(1)
  })

  test("draws patterns when there are too many to list", () => {
    expect(signFlipTest(Array.from({ length: 24 }, () => 0.01))).toBeLessThan(0.001)
    const even = Array.from({ length: 24 }, (_, index) => (index % 2 === 0 ? 1 : -1))
    expect(signFlipTest(even)).toBeCloseTo(1, 6)
  })
})

test("a paired difference has mean, standard error and the smallest p that so few pairs allow", () => {
  const difference = pairedDifference([0.01, 0.03, 0.02])
  expect(difference?.mean).toBeCloseTo(0.02, 12)
  expect(difference?.standardError).toBeCloseTo(0.01 / Math.sqrt(3), 12)
  expect(difference).toMatchObject({ pairs: 3, p: 0.25, smallestP: 0.25 })
  expect(pairedDifference([0.02])).toMatchObject({ standardError: null, pairs: 1, p: 1, smallestP: 1 })
  expect(pairedDifference([])).toBeNull()
})
