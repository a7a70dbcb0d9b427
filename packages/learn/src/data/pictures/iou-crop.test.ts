import { createRng } from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import type { Box, DetectionTarget } from "../boxes.ts"
import { type Crop, cropModes, drawIouCrop } from "./iou-crop.ts"

function picture(width: number, height: number, ...boxes: Box[]): DetectionTarget {
  return { width, height, boxes: boxes.map((box, classIndex) => ({ classIndex, box, isDifficult: false })) }
}

function overlap(box: Box, { left, top, width, height }: Crop): number {
  const across = Math.max(0, Math.min(box[2], left + width) - Math.max(box[0], left))
  const down = Math.max(0, Math.min(box[3], top + height) - Math.max(box[1], top))
  const shared = across * down
  return shared / ((box[2] - box[0]) * (box[3] - box[1]) + width * height - shared)
}

/** Crops of many seeds, with the mode of each. */
function draw(target: DetectionTarget, count: number) {
  return Array.from({ length: count }, (_, seed) => {
    let mode: string | number = ""
    const crop = drawIouCrop(target, createRng(seed), (kept) => {
      mode = kept
    })
    return { mode, crop }
  })
}

const crowded = picture(300, 200, [20, 30, 180, 170], [150.5, 20.25, 290, 120], [5, 5, 25, 21])

describe("the crop of SSD", () => {
  test("draws every mode alike; those that ask for much fail more often and are drawn again", () => {
    const drawn = draw(crowded, 3500)
    const shares = cropModes.map((mode) => drawn.filter((one) => one.mode === mode).length / drawn.length)
    const [whole, any, least] = shares as [number, number, number]
    // 50 trials find these as good as always.
    expect(Math.abs(any - whole)).toBeLessThan(0.04)
    expect(Math.abs(least - whole)).toBeLessThan(0.04)
    expect(shares[5]!).toBeLessThan(whole)
    expect(shares[6]!).toBeLessThan(shares[5]!)
    expect(Math.min(...shares)).toBeGreaterThan(0)
    expect(Math.max(...shares)).toBeLessThan(0.25)
  })

  test("shares with at least one object what its mode asks for, before boxes are dropped and clipped", () => {
    for (const { mode, crop } of draw(crowded, 1000)) {
      const best = Math.max(...crowded.boxes.map(({ box }) => overlap(box, crop)))
      if (typeof mode === "number") expect(best).toBeGreaterThanOrEqual(mode)
      else expect(crop).toEqual({ left: 0, top: 0, width: 300, height: 200, boxes: crowded.boxes })
    }
  })

  test("keeps the boxes whose centre lies inside, clipped to the crop, and never none", () => {
    for (const { crop } of draw(crowded, 1000)) {
      const { left, top, width, height, boxes } = crop
      expect(boxes.length).toBeGreaterThan(0)
      const inside = crowded.boxes.filter(({ box: [x1, y1, x2, y2] }) => {
        const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2]
        return x > left && x < left + width && y > top && y < top + height
      })
      expect(boxes).toEqual(
        inside.map(({ box: [x1, y1, x2, y2], ...rest }) => ({
          ...rest,
          box: [Math.max(0, x1 - left), Math.max(0, y1 - top), Math.min(width, x2 - left), Math.min(height, y2 - top)],
        })),
      )
    }
  })

  test("is of whole pixels, inside the picture, each side 0.3 to 1 and no side more than twice the other", () => {
    for (const { mode, crop } of draw(crowded, 1000)) {
      const { left, top, width, height } = crop
      for (const value of [left, top, width, height]) expect(Number.isInteger(value)).toBe(true)
      expect(Math.min(left, top)).toBeGreaterThanOrEqual(0)
      expect(left + width).toBeLessThanOrEqual(300)
      expect(top + height).toBeLessThanOrEqual(200)
      if (mode === "whole") continue
      // Corners are brought down to whole pixels, so a side may come out one pixel off.
      expect(width).toBeGreaterThan(0.3 * 300 - 1)
      expect(height).toBeGreaterThan(0.3 * 200 - 1)
      expect(Math.max((width - 1) / (height + 1), (height - 1) / (width + 1))).toBeLessThan(2)
    }
  })

  test("of a picture without objects is any part of it, as often as with objects", () => {
    const drawn = draw(picture(300, 200), 700)
    expect(drawn.every(({ crop }) => crop.boxes.length === 0)).toBe(true)
    const whole = drawn.filter(({ mode }) => mode === "whole").length
    expect(Math.abs(whole / 700 - 1 / 7)).toBeLessThan(0.05)
  })

  test("ends also where only the whole picture will do", () => {
    // No part of aspect ratio 0.5 to 2 can be cut from a strip, and no part comes close to a box of one pixel.
    const drawn = [...draw(picture(1000, 20, [1, 1, 2, 2]), 20), ...draw(picture(2, 2, [0, 0, 1, 1]), 20)]
    for (const { crop } of drawn) expect(crop.boxes.length).toBe(1)
  })
})
