import { describe, expect, test } from "vitest"
import type { Detection } from "../../data/boxes.ts"
import { cocoAveragePrecision } from "./coco-average-precision.ts"
import type { CocoTruth } from "./coco-matching.ts"
import { knownCoco, metricCases, randomImages, worstDifference } from "./metric-cases.test-suite.ts"

const object = (x: number, size = 10, isCrowd = false): CocoTruth => ({
  classIndex: 0,
  box: [x, 0, x + size, size],
  isCrowd,
})
const found = (x: number, score: number, size = 10): Detection => ({
  classIndex: 0,
  score,
  box: [x, 0, x + size, size],
})

/** Random images with every fourth object a crowd. */
function withCrowds(seed: string): { detections: Detection[][]; truths: CocoTruth[][] } {
  const { detections, truths } = randomImages(seed, 12, 2)
  return {
    detections,
    truths: truths.map((boxes) => boxes.map((box, index) => ({ ...box, isCrowd: index === 3 }))),
  }
}

describe("average precision of COCO", () => {
  test.each(metricCases)("is that of the rules by brute force: $name", ({ detections, truths, classes, coco }) => {
    const computed = cocoAveragePrecision(detections, truths, classes)
    expect(Object.keys(computed).sort()).toEqual(Object.keys(coco).sort())
    expect(worstDifference(computed, coco)).toBeLessThan(1e-9)
  })

  test("gives the figures that pycocotools gave for images of COCO, to all their digits", () => {
    const computed = cocoAveragePrecision(knownCoco.detections, knownCoco.truths, knownCoco.classes)
    expect(worstDifference(computed, knownCoco.figures)).toBeLessThan(0.0005)
  })

  test("lets any number of detections lie in a crowd, and counts none of them", () => {
    const truths = [[object(0), object(100, 50, true)]]
    const inCrowd = [found(100, 0.99), found(110, 0.98), found(120, 0.97)]
    expect(cocoAveragePrecision([[found(0, 0.5), ...inCrowd]], truths, 1)).toMatchObject({ ap: 1, recall100: 1 })
    const solid = [[object(0), object(100, 50)]]
    expect(cocoAveragePrecision([[found(0, 0.5), ...inCrowd]], solid, 1).ap).toBeLessThan(0.2)
  })

  test("gives a detection to an object before a crowd that it overlaps more", () => {
    const truths = [[object(100, 50, true), { ...object(100), box: [100, 0, 110, 6] as const }]]
    expect(cocoAveragePrecision([[found(100, 1)]], truths, 1)).toMatchObject({ ap50: 1, ap75: 0 })
  })

  test("compares recalls as numpy rounds them", () => {
    const truths = [Array.from({ length: 100 }, (_, index) => object(index * 20))]
    const some = (count: number) => [Array.from({ length: count }, (_, index) => found(index * 20, 1))]
    // Recall 0, 0.01, ..., 0.36 are 37 recalls; 35 of 100 do not reach 35 * 0.01, which is a little more than 0.35.
    expect(cocoAveragePrecision(some(36), truths, 1).ap).toBeCloseTo(37 / 101, 12)
    expect(cocoAveragePrecision(some(35), truths, 1).ap).toBeCloseTo(35 / 101, 12)
  })

  test("judges size by the area that is told, else by the box", () => {
    const detections = [[found(0, 1, 40)]]
    expect(cocoAveragePrecision(detections, [[object(0, 40)]], 1)).toMatchObject({
      apSmall: null,
      apMedium: 1,
      apLarge: null,
    })
    expect(cocoAveragePrecision(detections, [[{ ...object(0, 40), area: 900 }]], 1)).toMatchObject({
      apSmall: 1,
      apMedium: null,
    })
  })

  test("sees of each image and class the best hundred detections, and for recall the best one and ten", () => {
    const truths = [[object(0), object(20), object(40)]]
    const noise = Array.from({ length: 99 }, (_, index) => found(1000 + 20 * index, 0.5))
    const detections = [[found(0, 0.9), ...noise, found(20, 0.1)]]
    const third = 1 / 3
    const figures = cocoAveragePrecision(detections, truths, 1)
    expect(figures.recall1).toBeCloseTo(third, 12)
    expect(figures.recall10).toBeCloseTo(third, 12)
    expect(figures.recall100).toBeCloseTo(third, 12)
    const fewer = [[found(0, 0.9), ...noise.slice(1), found(20, 0.1)]]
    expect(cocoAveragePrecision(fewer, truths, 1).recall100).toBeCloseTo(2 * third, 12)
  })

  test("of random images does not depend on their order, and never rises by a wrong detection", () => {
    for (let seed = 0; seed < 20; seed++) {
      const { detections, truths } = withCrowds(`coco ${seed}`)
      const figures = cocoAveragePrecision(detections, truths, 2)
      expect(cocoAveragePrecision(detections.toReversed(), truths.toReversed(), 2)).toEqual(figures)
      const wrong = [[...(detections[0] as Detection[]), found(5000, 0.31)], ...detections.slice(1)]
      expect(cocoAveragePrecision(wrong, truths, 2).ap).toBeLessThanOrEqual(figures.ap as number)
    }
  })

  test("is one for detections that are the objects themselves", () => {
    for (let seed = 0; seed < 10; seed++) {
      const { truths } = withCrowds(`perfect ${seed}`)
      const perfect = truths.map((boxes, image) => boxes.map((box) => ({ ...box, score: 1 / (image + 1) })))
      expect(cocoAveragePrecision(perfect, truths, 2)).toMatchObject({ ap: 1, ap50: 1, ap75: 1, recall100: 1 })
    }
  })

  test("refuses lists that do not match", () => {
    expect(() => cocoAveragePrecision([[]], [], 1)).toThrow(expect.objectContaining({ code: "COUNT_MISMATCH" }))
  })
})
