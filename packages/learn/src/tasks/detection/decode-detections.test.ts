import { createRng } from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import type { Detection } from "../../data/boxes.ts"
import { decodeDetections, detectionsFromScores, ssdDecoding } from "./decode-detections.ts"

/** A grid of default boxes with centre and size, [P, 4]. */
function grid(side: number): Float32Array {
  return Float32Array.from(
    Array.from({ length: side * side }, (_, index) => [
      ((index % side) + 0.5) / side,
      (Math.floor(index / side) + 0.5) / side,
      1.5 / side,
      1 / side,
    ]).flat(),
  )
}

function randomOutput(seed: string, boxes: number, classes: number, background: number): Float32Array {
  const rng = createRng(seed)
  return Float32Array.from(
    Array.from({ length: boxes }, () =>
      Array.from({ length: 5 + classes }, (_, column) => (rng.float() - 0.5) * 6 + (column === 4 ? background : 0)),
    ).flat(),
  )
}

/** The rules one after the other, with nothing left out early. */
function plainDetections(output: Float32Array, defaults: Float32Array, classes: number): Detection[] {
  const count = defaults.length / 4
  const columns = 5 + classes
  const all: { classIndex: number; score: number; position: number; box: number[] }[] = []
  for (let classIndex = 0; classIndex < classes; classIndex++) {
    const candidates = Array.from({ length: count }, (_, position) => {
      const row = Array.from(output.subarray(position * columns, (position + 1) * columns))
      const powers = row.slice(4).map(Math.exp)
      const score = (powers[1 + classIndex] as number) / powers.reduce((sum, power) => sum + power, 0)
      const [cx, cy, w, h] = Array.from(defaults.subarray(position * 4, position * 4 + 4)) as [
        number,
        number,
        number,
        number,
      ]
      const [dx, dy, dw, dh] = row as [number, number, number, number]
      const [x, y, width, height] = [
        cx + dx * 0.1 * w,
        cy + dy * 0.1 * h,
        w * Math.exp(dw * 0.2),
        h * Math.exp(dh * 0.2),
      ]
      return { classIndex, score, position, box: [x - width / 2, y - height / 2, x + width / 2, y + height / 2] }
    })
    const best = candidates
      .filter(
        ({ score, box }) =>
          score > 0.01 &&
          (box[0] as number) < 1 &&
          (box[1] as number) < 1 &&
          (box[2] as number) > 0 &&
          (box[3] as number) > 0,
      )
      .sort((a, b) => b.score - a.score || a.position - b.position)
      .slice(0, 400)
    const kept: typeof best = []
    for (const each of best) if (kept.every((other) => overlap(other.box, each.box) <= 0.45)) kept.push(each)
    all.push(...kept)
  }
  return all
    .sort((a, b) => b.score - a.score)
    .slice(0, 200)
    .map(({ classIndex, score, box }) => ({
      classIndex,
      score,
      box: box.map((corner) => Math.min(1, Math.max(0, corner))) as unknown as Detection["box"],
    }))
}

function overlap(a: number[], b: number[]): number {
  const [ax1, ay1, ax2, ay2] = a as [number, number, number, number]
  const [bx1, by1, bx2, by2] = b as [number, number, number, number]
  const shared =
    Math.max(0, Math.min(ax2, bx2) - Math.max(ax1, bx1)) * Math.max(0, Math.min(ay2, by2) - Math.max(ay1, by1))
  return shared / ((ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - shared)
}

function expectSame(found: readonly Detection[], expected: readonly Detection[]): void {
  expect(found.map(({ classIndex }) => classIndex)).toEqual(expected.map(({ classIndex }) => classIndex))
  for (const [index, { score, box }] of found.entries()) {
    expect(score).toBeCloseTo((expected[index] as Detection).score, 9)
    for (const [corner, value] of box.entries())
      expect(value).toBeCloseTo((expected[index] as Detection).box[corner] as number, 9)
  }
}

describe("decoding of a detector's output", () => {
  test.each([
    { name: "nothing is clear", background: 0 },
    { name: "most is background", background: 5 },
    { name: "nearly all is background", background: 8 },
  ])("is that of the rules one after the other where $name", ({ name, background }) => {
    const output = randomOutput(name, 30 * 30, 3, background)
    const expected = plainDetections(output, grid(30), 3)
    expect(expected.length).toBeGreaterThan(5)
    expectSame(decodeDetections(output, grid(30)), expected)
  })

  test("reads a centre, a size and a probability as SSD codes them", () => {
    const logits = [Math.log(0.2), Math.log(0.5), Math.log(0.3)]
    const output = Float32Array.from([1, -2, 5 * Math.log(2), 0, ...logits])
    const found = decodeDetections(output, Float32Array.from([0.5, 0.5, 0.2, 0.4]))
    expect(found.map(({ classIndex }) => classIndex)).toEqual([0, 1])
    expect(found[0]?.score).toBeCloseTo(0.5, 6)
    expect(found[1]?.score).toBeCloseTo(0.3, 6)
    for (const [corner, value] of [0.32, 0.22, 0.72, 0.62].entries()) {
      expect(found[0]?.box[corner]).toBeCloseTo(value, 6)
    }
  })

  test("orders equal scores by class, then by box", () => {
    const boxes = Float32Array.from([0, 0, 0.1, 0.1, 0.2, 0, 0.3, 0.1, 0.4, 0, 0.5, 0.1])
    const scores = Float32Array.from([0.2, 0.4, 0.4, 0.2, 0.4, 0.4, 0.1, 0.45, 0.45])
    const found = detectionsFromScores(scores, boxes)
    expect(found.map(({ classIndex, box }) => [classIndex, Math.round(box[0] * 10)])).toEqual([
      [0, 4],
      [1, 4],
      [0, 0],
      [0, 2],
      [1, 0],
      [1, 2],
    ])
  })

  test("keeps of equal boxes of a class the first", () => {
    const boxes = Float32Array.from([0, 0, 0.5, 0.5, 0.01, 0, 0.5, 0.5])
    const found = detectionsFromScores(Float32Array.from([0, 0.7, 0.3, 0.7]), boxes)
    expect(found.map(({ box }) => box[0])).toEqual([0])
    const classes = detectionsFromScores(Float32Array.from([0, 0.7, 0.3, 0, 0.6, 0.4]), boxes)
    expect(classes.map(({ classIndex }) => classIndex)).toEqual([0, 1])
  })

  test("cuts boxes at the image's border after suppression, and drops those outside", () => {
    const boxes = Float32Array.from([-0.5, 0, 0.5, 1, 0.2, 0, 1.2, 1, 1, 0, 1.5, 1, -0.5, -0.5, 0, 1])
    const scores = Float32Array.from([0, 0.9, 0, 0.8, 0, 0.7, 0, 0.6])
    const found = detectionsFromScores(scores, boxes)
    expect(found.map(({ box }) => box.map((corner) => Math.round(corner * 10)))).toEqual([
      [0, 0, 5, 10],
      [2, 0, 10, 10],
    ])
  })

  test("keeps the best so many of a class and of the image", () => {
    const apart = Float32Array.from(
      Array.from({ length: 500 }, (_, index) => [index / 500, 0, (index + 1) / 500, 1]).flat(),
    )
    const rising = Float32Array.from(Array.from({ length: 500 }, (_, index) => [0, (index + 1) / 500]).flat())
    const found = detectionsFromScores(rising, apart)
    expect(found.length).toBe(200)
    expect(found.map(({ score }) => Math.round(score * 500))).toEqual(Array.from({ length: 200 }, (_, at) => 500 - at))
    const few = detectionsFromScores(rising, apart, { ...ssdDecoding, candidatesPerClass: 7 })
    expect(few.map(({ score }) => Math.round(score * 500))).toEqual([500, 499, 498, 497, 496, 495, 494])
  })

  test("keeps of equally good candidates the first", () => {
    const corners = Array.from({ length: 1000 }, (_, index) => [index / 1000, 0, (index + 1) / 1000, 1])
    const equal = Float32Array.from(corners.flatMap(() => [0.5, 0.5]))
    const found = detectionsFromScores(equal, Float32Array.from(corners.flat()))
    expect(found.map(({ box }) => Math.round(box[0] * 1000))).toEqual(Array.from({ length: 200 }, (_, at) => at))
  })

  test("finds nothing where a network says nothing, or no numbers", () => {
    expect(decodeDetections(new Float32Array(40 * 25).fill(Number.NaN), grid(5).subarray(0, 160))).toEqual([])
    const background = randomOutput("sure", 40, 20, 30)
    expect(decodeDetections(background, grid(7).subarray(0, 160))).toEqual([])
    const huge = Float32Array.from([0, 0, 4000, 4000, 0, 9])
    expect(decodeDetections(huge, Float32Array.from([0.5, 0.5, 1, 1])).map(({ box }) => box)).toEqual([[0, 0, 1, 1]])
  })

  test("refuses an output of another network", () => {
    const shape = expect.objectContaining({ code: "OUTPUT_SHAPE" })
    expect(() => decodeDetections(new Float32Array(100), grid(3))).toThrow(shape)
    expect(() => decodeDetections(new Float32Array(45), grid(3))).toThrow(shape)
    expect(() => detectionsFromScores(new Float32Array(9), grid(3))).toThrow(shape)
  })
})
