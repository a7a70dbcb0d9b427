import { describe, expect, test } from "vitest"
import { nearestDistances, rankAgreement } from "./rank-agreement.ts"

describe("rank agreement", () => {
  test("is whole for scores in the same order, whatever their scale", () => {
    const [scores, reference] = [Float32Array.of(0.1, 5, 2, 90), Float32Array.of(-3, 0.2, 0.1, 0.3)]
    expect(rankAgreement(scores, reference, 2)).toEqual({ rankCorrelation: 1, topShare: 1, topCount: 2 })
  })

  test("is minus one for the opposite order", () => {
    expect(rankAgreement(Float32Array.of(3, 2, 1), Float32Array.of(1, 2, 3), 1)).toEqual({
      rankCorrelation: -1,
      topShare: 0,
      topCount: 1,
    })
  })

  test("gives equal scores their mean rank", () => {
    const { rankCorrelation } = rankAgreement(Float32Array.of(1, 2, 2, 4, 5), Float32Array.of(2, 1, 3, 3, 9), 3)
    // Ranks 1, 2.5, 2.5, 4, 5 and 2, 1, 3.5, 3.5, 5: Pearson's correlation of those is 7.25 / 9.5.
    expect(rankCorrelation).toBeCloseTo(7.25 / 9.5, 12)
  })

  test("tells which of the samples that would be selected are found", () => {
    const { topShare } = rankAgreement(Float32Array.of(9, 8, 1, 7, 0), Float32Array.of(9, 8, 7, 1, 0), 3)
    expect(topShare).toBeCloseTo(2 / 3, 12)
  })

  test("says nothing good where one side no longer tells samples apart", () => {
    expect(rankAgreement(Float32Array.of(1, 1, 1), Float32Array.of(1, 2, 3), 1).rankCorrelation).toBe(0)
    expect(rankAgreement(Float32Array.of(1, 1, 1), Float32Array.of(2, 2, 2), 1).rankCorrelation).toBe(1)
  })
})

test("the nearest distance is that of the definition", () => {
  const rows = { rows: 2, columns: 2, data: Float32Array.of(0, 0, 4, 4) }
  const others = { rows: 3, columns: 2, data: Float32Array.of(3, 4, 0, 1, 4, 3) }
  expect(Array.from(nearestDistances(rows, others))).toEqual([1, 1])
})
