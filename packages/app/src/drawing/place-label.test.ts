import type { Box } from "@learnloss/learn"
import { describe, expect, test } from "vitest"
import { type LabelPlace, placeLabel } from "./place-label.ts"

const picture = { width: 200, height: 100 }
const label = { width: 40, height: 12 }

describe("the label of a box", () => {
  test("stands above the box, or inside where there is no room above", () => {
    expect(placeLabel(picture, [50, 30, 120, 80], label, [])).toMatchObject({ left: 50, top: 18, isCrowded: false })
    expect(placeLabel(picture, [50, 5, 120, 80], label, [])).toMatchObject({ left: 50, top: 5 })
  })

  test("never leaves the picture, wherever the box is", () => {
    const boxes: Box[] = [
      [0, 0, 5, 5],
      [195, 95, 200, 100],
      [195, 0, 200, 100],
      [0, 0, 200, 100],
    ]
    const taken: LabelPlace[] = []
    for (const box of [...boxes, ...boxes, ...boxes, ...boxes]) {
      const place = placeLabel(picture, box, label, taken)
      expect(Math.min(place.left, place.top)).toBeGreaterThanOrEqual(0)
      expect(place.left + label.width).toBeLessThanOrEqual(200)
      expect(place.top + label.height).toBeLessThanOrEqual(100)
      taken.push(place)
    }
  })

  test("covers no other label while there is a free corner, and says when there is none", () => {
    const taken: LabelPlace[] = []
    for (let index = 0; index < 9; index++) taken.push(placeLabel(picture, [20, 30, 120, 75], label, taken))
    expect(taken.map(({ isCrowded }) => isCrowded)).toEqual([...new Array<boolean>(8).fill(false), true])
    for (const [index, { left, top }] of taken.slice(0, 8).entries()) {
      const others = taken.slice(0, index)
      expect(others.some((other) => Math.abs(other.left - left) < 40 && Math.abs(other.top - top) < 12)).toBe(false)
    }
  })

  test("does not hide a small box while there is another place", () => {
    const small: Box = [55, 20, 63, 28]
    expect(placeLabel(picture, [50, 30, 120, 80], label, [], [small])).toMatchObject({ left: 50, top: 30 })
  })
})
