import { describe, expect, test } from "vitest"
import type { Detection, LabeledBox } from "../../data/boxes.ts"
import { averagePrecision } from "./average-precision.ts"
import { knownVoc, metricCases, randomImages, worstDifference } from "./metric-cases.test-suite.ts"

const object = (x: number, isDifficult = false): LabeledBox => ({ classIndex: 0, box: [x, 0, x + 10, 10], isDifficult })
const found = (x: number, score: number): Detection => ({ classIndex: 0, score, box: [x, 0, x + 10, 10] })

describe("average precision of PASCAL VOC", () => {
  test.each(metricCases)(
    "is that of the rules computed in fractions: $name",
    ({ detections, truths, classes, voc }) => {
      for (const { options, perClass } of voc) {
        const expected = perClass.map((each) => each && { allPoint: each[0], elevenPoint: each[1] })
        const { perClass: computed } = averagePrecision(detections, truths, classes, options)
        expect(computed.length).toBe(classes)
        expect(worstDifference(computed, expected)).toBeLessThan(1e-9)
      }
    },
  )

  test("is the published one of a published example", () => {
    const { mean } = averagePrecision(knownVoc.detections, knownVoc.truths, 1, knownVoc.options)
    expect(mean?.allPoint).toBeCloseTo(knownVoc.allPoint, 4)
    expect(mean?.elevenPoint).toBeCloseTo(knownVoc.elevenPoint, 4)
  })

  test("counts a second detection of an object as wrong, and one of a difficult object not at all", () => {
    const truths = [[object(0), object(100), object(200, true)]]
    const once = [found(0, 0.9), found(100, 0.7)]
    expect(averagePrecision([once], truths, 1).mean).toEqual({ allPoint: 1, elevenPoint: 1 })
    expect(averagePrecision([[...once, found(200, 0.95)]], truths, 1).mean?.allPoint).toBe(1)
    expect(averagePrecision([[...once, found(0, 0.8)]], truths, 1).mean?.allPoint).toBeCloseTo((1 + 2 / 3) / 2, 12)
  })

  test("gives a detection that overlaps two objects equally to the first", () => {
    const between = [[found(5, 1)]]
    const options = { iouThreshold: 0.3 }
    expect(averagePrecision(between, [[object(10), object(0, true)]], 1, options).mean?.allPoint).toBe(1)
    expect(averagePrecision(between, [[object(0, true), object(10)]], 1, options).mean?.allPoint).toBe(0)
  })

  test("takes an overlap of exactly the threshold as found, and a recall of exactly a tenth as reached", () => {
    const half: Detection = { classIndex: 0, score: 1, box: [0, 0, 5, 10] }
    expect(averagePrecision([[half]], [[object(0)]], 1).mean?.allPoint).toBe(1)
    expect(averagePrecision([[half]], [[object(0)]], 1, { iouThreshold: 0.51 }).mean?.allPoint).toBe(0)
    const ten = Array.from({ length: 10 }, (_, index) => object(index * 20))
    const three = [found(0, 0.9), found(20, 0.8), found(40, 0.7)]
    expect(averagePrecision([three], [ten], 1).mean?.elevenPoint).toBeCloseTo(4 / 11, 12)
  })

  test("leaves classes without objects out of the mean, and has none without any", () => {
    const truths = [[object(0)], [object(0, true)]]
    const detections = [[found(0, 0.5), { ...found(0, 0.9), classIndex: 1 }], []]
    expect(averagePrecision(detections, truths, 3)).toEqual({
      perClass: [{ allPoint: 1, elevenPoint: 1 }, null, null],
      mean: { allPoint: 1, elevenPoint: 1 },
    })
    expect(averagePrecision([[found(0, 1)]], [[object(0, true)]], 1)).toEqual({ perClass: [null], mean: null })
    expect(averagePrecision([], [], 2).mean).toBe(null)
  })

  test("of random images does not depend on their order", () => {
    for (let seed = 0; seed < 20; seed++) {
      const { detections, truths } = randomImages(`order ${seed}`, 12, 2)
      const turned = averagePrecision(detections.toReversed(), truths.toReversed(), 2)
      expect(turned).toEqual(averagePrecision(detections, truths, 2))
    }
  })

  test("of random images never rises by a wrong detection, and never falls when an object more is found last", () => {
    for (let seed = 0; seed < 20; seed++) {
      const { detections, truths } = randomImages(`more ${seed}`, 12, 1)
      const before = averagePrecision(detections, truths, 1).mean?.allPoint as number
      for (const score of [0.0001, 0.31, 0.62, 2]) {
        const wrong = [[...(detections[0] as Detection[]), found(5000, score)], ...detections.slice(1)]
        expect(averagePrecision(wrong, truths, 1).mean?.allPoint).toBeLessThanOrEqual(before)
      }
      const truthsAndOne = [[...(truths[0] as LabeledBox[]), object(5000)], ...truths.slice(1)]
      const missed = averagePrecision(detections, truthsAndOne, 1).mean?.allPoint as number
      const late = [[...(detections[0] as Detection[]), found(5000, 0)], ...detections.slice(1)]
      expect(averagePrecision(late, truthsAndOne, 1).mean?.allPoint).toBeGreaterThan(missed)
    }
  })

  test("is one for detections that are the objects themselves, and zero for none", () => {
    for (let seed = 0; seed < 10; seed++) {
      const { truths } = randomImages(`perfect ${seed}`, 12, 2)
      const perfect = truths.map((boxes, image) => boxes.map((each) => ({ ...each, score: 1 / (image + 1) })))
      expect(averagePrecision(perfect, truths, 2).mean).toEqual({ allPoint: 1, elevenPoint: 1 })
      const none = truths.map(() => [])
      expect(averagePrecision(none, truths, 2).mean).toEqual({ allPoint: 0, elevenPoint: 0 })
    }
  })

  test("refuses lists that do not match", () => {
    expect(() => averagePrecision([[]], [], 1)).toThrow(expect.objectContaining({ code: "COUNT_MISMATCH" }))
    const invalid = expect.objectContaining({ code: "DETECTION_INVALID" })
    expect(() => averagePrecision([[found(0, 1)]], [[]], 0)).toThrow(invalid)
    expect(() => averagePrecision([[found(0, Number.NaN)]], [[]], 1)).toThrow(invalid)
    expect(() => averagePrecision([[found(Number.POSITIVE_INFINITY, 1)]], [[]], 1)).toThrow(invalid)
    expect(() => averagePrecision([[]], [[{ ...object(0), classIndex: 1.5 }]], 2)).toThrow(invalid)
  })
})
