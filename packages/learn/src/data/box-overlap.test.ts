import { describe, expect, test } from "vitest"
import { areaOf, overlapOf, sharedAreaOf } from "./box-overlap.ts"
import type { Box } from "./boxes.ts"

const box: Box = [0, 0, 4, 2]

describe("the overlap of boxes", () => {
  test("is the shared area over the area that both cover", () => {
    expect(areaOf(box)).toBe(8)
    expect(sharedAreaOf(box, [3, 1, 5, 4])).toBe(1)
    expect(overlapOf(box, [3, 1, 5, 4])).toBe(1 / 13)
    expect(overlapOf(box, [1, 0.5, 2, 1.5])).toBe(1 / 8)
    expect(overlapOf(box, box)).toBe(1)
  })

  test("is nothing for boxes that touch, lie apart or have no area", () => {
    for (const other of [
      [4, 0, 6, 2],
      [9, 9, 10, 10],
      [1, 1, 1, 1],
    ] as const) {
      expect(overlapOf(box, other)).toBe(0)
      expect(overlapOf(other, box)).toBe(0)
    }
    expect(overlapOf([1, 1, 1, 1], [1, 1, 1, 1])).toBe(0)
  })
})
