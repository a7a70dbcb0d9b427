import { createRng } from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import { suppress } from "./suppress.ts"

const overlap = (a: number[], b: number[]) => {
  const [ax1, ay1, ax2, ay2] = a as [number, number, number, number]
  const [bx1, by1, bx2, by2] = b as [number, number, number, number]
  const shared =
    Math.max(0, Math.min(ax2, bx2) - Math.max(ax1, bx1)) * Math.max(0, Math.min(ay2, by2) - Math.max(ay1, by1))
  return shared / ((ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - shared)
}

describe("suppression of boxes that overlap", () => {
  test("keeps a box that overlaps a better one by just the threshold", () => {
    const boxes = [0, 0, 4, 4, 0, 0, 4, 2, 0, 0, 4, 3]
    expect(suppress(boxes, [0, 1, 2], 0.5)).toEqual([0, 1])
    expect(suppress(boxes, [0, 1, 2], 0.49)).toEqual([0])
    expect(suppress(boxes, [2, 1, 0], 0.7)).toEqual([2, 1])
  })

  test("lets a suppressed box suppress nothing", () => {
    const row = [0, 0, 10, 1, 4, 0, 14, 1, 8, 0, 18, 1]
    expect(suppress(row, [0, 1, 2], 0.4)).toEqual([0, 2])
  })

  test("ends at as many as wanted", () => {
    const apart = [0, 0, 1, 1, 2, 0, 3, 1, 4, 0, 5, 1]
    expect(suppress(apart, [2, 0, 1], 0.5, 2)).toEqual([2, 0])
    expect(suppress(apart, [], 0.5)).toEqual([])
  })

  test("of random boxes keeps exactly those that no kept one before them suppresses", () => {
    for (let seed = 0; seed < 20; seed++) {
      const rng = createRng(`suppress ${seed}`)
      const boxes = Array.from({ length: 60 }, () => {
        const [x, y] = [rng.integer(30), rng.integer(30)]
        return [x, y, x + 1 + rng.integer(20), y + 1 + rng.integer(20)]
      })
      const order = rng.permutation(60)
      const kept: number[] = []
      for (const index of order) {
        const box = boxes[index] as number[]
        if (kept.every((other) => overlap(boxes[other] as number[], box) <= 0.45)) kept.push(index)
      }
      expect(suppress(Float32Array.from(boxes.flat()), order, 0.45)).toEqual(kept)
    }
  })
})
