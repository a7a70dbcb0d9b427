import { describe, expect, test } from "vitest"
import { createRng } from "./rng.ts"

describe("rng", () => {
  test("children depend on seed and path alone, not on what was drawn before", () => {
    const drained = createRng(7)
    for (let draw = 0; draw < 100; draw++) drained.float()
    expect(drained.child("trial/2").child("cycle").float()).toBe(createRng(7).child("trial/2/cycle").float())
    expect(createRng(7).child("a").float()).not.toBe(createRng(7).child("b").float())
    expect(createRng(7).child("a").float()).not.toBe(createRng(8).child("a").float())
  })

  test("neighbouring seeds are not correlated", () => {
    const first = Array.from({ length: 2000 }, (_, seed) => createRng(seed).float() - 0.5)
    let covariance = 0
    for (let i = 1; i < first.length; i++) covariance += (first[i] as number) * (first[i - 1] as number)
    // Standard error of the lag-one correlation of independent draws is 1/sqrt(2000) = 0.022.
    expect(Math.abs((covariance / first.length) * 12)).toBeLessThan(0.09)
  })

  test("integers are uniform over their range and a permutation holds every position once", () => {
    const rng = createRng("uniform")
    const counts = [0, 0, 0, 0, 0]
    for (let draw = 0; draw < 10_000; draw++) {
      const value = rng.integer(5)
      counts[value] = (counts[value] as number) + 1
    }
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200)
    expect(rng.permutation(100).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  test("normal draws have mean 0 and variance 1", () => {
    const rng = createRng("normal")
    const draws = Array.from({ length: 20_000 }, () => rng.normal())
    const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length
    const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length
    expect(Math.abs(mean)).toBeLessThan(0.03)
    expect(Math.abs(variance - 1)).toBeLessThan(0.05)
  })
})
