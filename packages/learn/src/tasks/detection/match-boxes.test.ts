import { join } from "node:path"
import { readSafetensors, type TensorMap } from "@learnloss/engine"
import { relativeDifference } from "@learnloss/engine/testing"
import { describe, expect, test } from "vitest"
import type { Box, DetectionTarget, LabeledBox } from "../../data/boxes.ts"
import { decodeBox } from "./box-coding.ts"
import { BoxMatcher } from "./match-boxes.ts"
import { targetEncoder } from "./targets.ts"

const fixture = new URL("../../../../../fixtures/ssd/matching.safetensors", import.meta.url).pathname
const tensors = readSafetensors(fixture)

function numbers(map: TensorMap, name: string): number[] {
  return Array.from(map.get(name)?.data ?? [], Number)
}

function boxesOf(flat: readonly number[]): Box[] {
  return Array.from({ length: flat.length / 4 }, (_, index) => flat.slice(4 * index, 4 * index + 4) as unknown as Box)
}

/** Two quarters side by side, the whole, and a small box in the middle. */
const defaults = Float32Array.of(0.25, 0.5, 0.5, 1, 0.75, 0.5, 0.5, 1, 0.5, 0.5, 1, 1, 0.5, 0.5, 0.1, 0.1)

describe("matching default boxes with objects", () => {
  for (const design of ["ssd300", "mobile128", "mobile96"]) {
    test.each([0, 1, 2, 3, 4, 5])(
      `gives PyTorch's classes and offsets with the boxes of ${design}, image %i`,
      (image) => {
        const part = (name: string) => numbers(tensors, join(design, String(image), name))
        const boxes = boxesOf(part("truths"))
        const labels = part("labels")
        // powers of two, so that nothing is rounded there and back
        const [width, height] = [512, 256]
        const target: DetectionTarget = {
          width,
          height,
          boxes: boxes.map(([x1, y1, x2, y2], index) => ({
            classIndex: labels[index] as number,
            box: [x1 * width, y1 * height, x2 * width, y2 * height],
            isDifficult: false,
          })),
        }
        const encode = targetEncoder(Float32Array.from(numbers(tensors, `${design}/boxes`)))
        const { offsets, classes } = encode([target])
        const found = Array.from(classes.data, Number)
        const positions = found.flatMap((each, position) => (each > 0 ? [position] : []))
        expect(positions).toEqual(part("positions"))
        expect(positions.map((position) => found[position])).toEqual(part("classes"))
        const ours = positions.flatMap((position) =>
          [...offsets.data.slice(4 * position, 4 * position + 4)].map(Number),
        )
        expect(relativeDifference(ours, part("offsets"))).toBeLessThan(1e-5)
        expect(Array.from(offsets.data, Number).filter((each) => each !== 0).length).toBeLessThanOrEqual(
          4 * positions.length,
        )
      },
    )
  }

  test("an object is given its best default box though they overlap little", () => {
    expect([...new BoxMatcher(defaults).match([[0.4, 0.4, 0.42, 0.42]])]).toEqual([0, -1, -1, -1])
  })

  test("where two objects want the same default box the later is given it", () => {
    const twice: Box = [0.45, 0.45, 0.55, 0.55]
    expect([...new BoxMatcher(defaults).match([twice, twice])]).toEqual([-1, -1, -1, 1])
  })

  test("an image without objects is all background", () => {
    expect([...new BoxMatcher(defaults).match([])]).toEqual([-1, -1, -1, -1])
  })

  test("an object outside of every default box is given none", () => {
    const { offsets, classes } = targetEncoder(defaults.slice(12))([
      { width: 10, height: 10, boxes: [{ classIndex: 2, box: [0, 0, 1, 1], isDifficult: false }] },
    ])
    expect(Array.from(classes.data, Number)).toEqual([0])
    expect(Array.from(offsets.data, Number)).toEqual([0, 0, 0, 0])
  })

  test("refuses boxes without an area", () => {
    for (const box of [
      [0.1, 0.1, 0.1, 0.4],
      [0.3, 0.1, 0.2, 0.4],
      [0.1, Number.NaN, 0.3, 0.4],
      [0.1, 0.1, Number.POSITIVE_INFINITY, 0.4],
    ] as const) {
      expect(() => new BoxMatcher(defaults).match([box])).toThrow(expect.objectContaining({ code: "BOX_WITHOUT_AREA" }))
    }
  })
})

describe("targets", () => {
  const target = (isDifficult: boolean): DetectionTarget => ({
    width: 100,
    height: 50,
    boxes: [
      { classIndex: 0, box: [0, 0, 50, 50], isDifficult: false },
      { classIndex: 1, box: [50, 0, 100, 50], isDifficult },
    ],
  })

  test("stand in the rows of their images", () => {
    const { offsets, classes } = targetEncoder(defaults)([target(false), { width: 9, height: 9, boxes: [] }])
    expect(classes.shape).toEqual([2, 4])
    expect(Array.from(classes.data, Number)).toEqual([1, 2, 1, 0, 0, 0, 0, 0])
    expect(offsets.shape).toEqual([2, 4, 4])
    // the whole image is given the left half: a quarter to the left of its centre, half as wide
    const ofWhole = [...offsets.data.slice(8, 12)].map(Number)
    expect(relativeDifference(ofWhole, [-0.25 / 0.1, 0, Math.log(0.5) / 0.2, 0])).toBeLessThan(1e-6)
  })

  test("leave out difficult objects where that is asked", () => {
    expect(Array.from(targetEncoder(defaults)([target(true)]).classes.data, Number)).toEqual([1, 2, 1, 0])
    const without = targetEncoder(defaults, { learnsDifficult: false })([target(true)])
    expect(Array.from(without.classes.data, Number)).toEqual([1, 0, 1, 0])
  })

  test("leave out crowds, whether difficult objects are learned or not", () => {
    const [left, right] = target(false).boxes as [LabeledBox, LabeledBox]
    const withCrowd = { ...target(false), boxes: [left, { ...right, isCrowd: true as const }] }
    for (const learnsDifficult of [true, false]) {
      const { classes } = targetEncoder(defaults, { learnsDifficult })([withCrowd])
      expect(Array.from(classes.data, Number)).toEqual([1, 0, 1, 0])
    }
  })

  test("decode to the boxes that they were made of", () => {
    const all = Float32Array.from(numbers(tensors, "mobile128/boxes"))
    const boxes = boxesOf(numbers(tensors, "mobile128/1/truths"))
    const { offsets, classes } = targetEncoder(all)([
      { width: 1, height: 1, boxes: boxes.map((box, classIndex) => ({ classIndex, box, isDifficult: false })) },
    ])
    const seen = new Set<number>()
    for (const [position, label] of Array.from(classes.data, Number).entries()) {
      if (label === 0) continue
      seen.add(label - 1)
      const decoded = decodeBox(offsets.data as Float32Array, 4 * position, all, position)
      expect(relativeDifference([...decoded], [...(boxes[label - 1] as Box)])).toBeLessThan(1e-5)
    }
    expect(seen.size).toBeGreaterThan(30)
  })
})
