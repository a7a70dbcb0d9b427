import { createRng } from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import { lift, rankingAccuracy } from "./ranking-metrics.ts"

describe("ranking accuracy", () => {
  test("counts every pair of unequal loss, equal scores as one half", () => {
    expect(rankingAccuracy([1, 2, 3], [10, 20, 30])).toBe(1)
    expect(rankingAccuracy([3, 2, 1], [10, 20, 30])).toBe(0)
    expect(rankingAccuracy([5, 5, 5], [10, 20, 30])).toBe(0.5)
    expect(rankingAccuracy([1, 2, 0], [10, 10, 30])).toBe(0)
    expect(rankingAccuracy([1, 2], [7, 7])).toBe(null)
    expect(rankingAccuracy([1, 2, 3], [Number.NaN, Number.NaN, 1])).toBeGreaterThanOrEqual(0)
  })

  test("agrees with counting all pairs one by one", () => {
    const rng = createRng("pairs")
    const scores = Array.from({ length: 200 }, () => rng.integer(40))
    const losses = Array.from({ length: 200 }, () => rng.integer(50))
    let pairs = 0
    let right = 0
    for (let i = 0; i < 200; i++) {
      for (let j = 0; j < i; j++) {
        if (losses[i] === losses[j]) continue
        pairs++
        if (scores[i] === scores[j]) right += 0.5
        else if (scores[i]! > scores[j]! === losses[i]! > losses[j]!) right++
      }
    }
    expect(rankingAccuracy(scores, losses)).toBeCloseTo(right / pairs, 12)
  })
})

test("lift is the mean loss of the top scores over the mean of all", () => {
  const losses = Array.from({ length: 20 }, (_, index) => index)
  expect(lift(losses, losses)).toBe(19 / 9.5)
  expect(lift(losses.toReversed(), losses)).toBe(0)
  expect(lift([1, 2], [0, 0])).toBe(null)
})
