import { createRng } from "@learnloss/engine"
import { describe, expect, it } from "vitest"
import { heldOutFigures, isNoBetterThanChance, splitHeldOut } from "./held-out.ts"

/** Scores that agree with normal losses as much as the noise lets them. */
function draw(count: number, noise: number, seed: number) {
  const rng = createRng(seed)
  const losses = Float64Array.from({ length: count }, () => rng.normal())
  return { losses, scores: losses.map((loss) => loss + noise * rng.normal()) }
}

describe("held-out losses", () => {
  it("are a fifth, at least ten, and never trained on", () => {
    for (const [count, size] of [
      [20, 10],
      [100, 20],
      [1003, 201],
    ] as const) {
      const { training, heldOut } = splitHeldOut(count, createRng(1))
      expect(heldOut).toHaveLength(size)
      expect([...training, ...heldOut].sort((a, b) => a - b)).toEqual(
        Array.from({ length: count }, (_, index) => index),
      )
    }
    expect(splitHeldOut(100, createRng(1))).not.toEqual(splitHeldOut(100, createRng(2)))
  })

  it("give an interval that holds the true ranking accuracy in about 95 of 100 draws", () => {
    // Of normal pairs with correlation r, (1/2 + asin(r)/pi) are in the same order.
    for (const [count, noise] of [
      [40, 1],
      [200, 2],
    ] as const) {
      const truth = 0.5 + Math.asin(1 / Math.sqrt(1 + noise ** 2)) / Math.PI
      let held = 0
      for (let seed = 0; seed < 400; seed++) {
        const { scores, losses } = draw(count, noise, seed)
        const [low, high] = heldOutFigures(scores, losses).interval!
        if (low <= truth && truth <= high) held++
      }
      expect(held / 400).toBeGreaterThan(0.92)
      expect(held / 400).toBeLessThan(0.98)
    }
  })

  it("tell chance from skill", () => {
    const skilled = draw(200, 1, 1)
    expect(isNoBetterThanChance(heldOutFigures(skilled.scores, skilled.losses))).toBe(false)
    const noise = draw(200, 1, 2).scores
    expect(isNoBetterThanChance(heldOutFigures(noise, skilled.losses))).toBe(true)
    const reversed = skilled.scores.map((score) => -score)
    expect(isNoBetterThanChance(heldOutFigures(reversed, skilled.losses))).toBe(true)
  })

  it("measure the spread of very many on a part of them, as much as all would give", () => {
    const { scores, losses } = draw(6000, 1, 3)
    const [low, high] = heldOutFigures(scores, losses).interval!
    const part = heldOutFigures(scores.slice(0, 1500), losses.slice(0, 1500)).interval!
    expect((part[1] - part[0]) / (high - low)).toBeCloseTo(2, 0.5)
  })

  it("say nothing of losses that are all equal, and that equal scores are chance", () => {
    const equal = heldOutFigures([1, 2, 3], [5, 5, 5])
    expect([equal.rankingAccuracy, equal.interval, isNoBetterThanChance(equal)]).toEqual([null, null, true])
    expect(heldOutFigures([1, 1, 1], [1, 2, 3]).interval).toEqual([0.5, 0.5])
  })
})
