import { describe, expect, test } from "vitest"
import type { Detection, DetectionTarget, LabeledBox } from "../../data/boxes.ts"
import { evaluateDetections } from "./evaluate-detections.ts"

const target: DetectionTarget = {
  width: 200,
  height: 100,
  boxes: [
    { classIndex: 0, box: [0, 0, 100, 50], isDifficult: false },
    { classIndex: 1, box: [100, 50, 200, 100], isDifficult: true },
  ],
}
const right: Detection = { classIndex: 0, score: 0.9, box: [0, 0, 0.5, 0.5] }
const ofDifficult: Detection = { classIndex: 1, score: 0.9, box: [0.5, 0.5, 1, 1] }

describe("the metrics of detection", () => {
  test("compare boxes relative to the image with boxes in pixels", () => {
    const metrics = evaluateDetections([[right, ofDifficult]], [target], ["cat", "dog"])
    expect(metrics).toMatchObject({ mAP: 1, mAP07: 1, averagePrecisionPerClass: [1, null] })
    // 100 x 50 pixels: of medium size in the image, whatever its size for the network.
    expect(metrics.coco).toMatchObject({ ap: 1, apSmall: null, apMedium: 1, apLarge: null, apPerClass: [1, null] })
  })

  test("let any number of detections lie in a crowd, but only one on a difficult object", () => {
    const other = (flags: Pick<LabeledBox, "isDifficult" | "isCrowd">): DetectionTarget => ({
      ...target,
      boxes: [
        { classIndex: 0, box: [0, 0, 100, 50], isDifficult: false },
        { classIndex: 0, box: [100, 50, 200, 100], ...flags },
      ],
    })
    const whole: Detection = { classIndex: 0, score: 0.99, box: [0.5, 0.5, 1, 1] }
    const part: Detection = { classIndex: 0, score: 0.98, box: [0.5, 0.5, 0.6, 0.6] }
    const measure = (found: readonly Detection[], flags: Parameters<typeof other>[0]) =>
      evaluateDetections([[...found, right]], [other(flags)], ["cat"])
    const [crowd, difficult] = [{ isDifficult: false, isCrowd: true } as const, { isDifficult: true }]
    expect(measure([whole], crowd)).toMatchObject({ mAP: 1, coco: { ap: 1 } })
    expect(measure([whole], difficult)).toMatchObject({ mAP: 1, coco: { ap: 1 } })
    expect(measure([whole, whole, part], crowd).coco.ap).toBe(1)
    // One of two boxes is right: precision 1/2 at every recall.
    expect(measure([part], difficult).coco.ap).toBeCloseTo(0.5, 12)
    expect(measure([whole, whole], difficult).coco.ap).toBeCloseTo(0.5, 12)
  })

  test("are zero where nothing is found and null where nothing is to be found", () => {
    expect(evaluateDetections([[]], [target], ["cat", "dog"])).toMatchObject({ mAP: 0, mAP07: 0, coco: { ap: 0 } })
    const empty = { ...target, boxes: [] }
    expect(evaluateDetections([[right]], [empty], ["cat"])).toMatchObject({
      mAP: null,
      mAP07: null,
      coco: { ap: null },
    })
  })

  test("refuse predictions of other images", () => {
    const mismatch = expect.objectContaining({ code: "COUNT_MISMATCH" })
    expect(() => evaluateDetections([[right], [right]], [target], ["cat", "dog"])).toThrow(mismatch)
    expect(() => evaluateDetections([], [target], ["cat", "dog"])).toThrow(mismatch)
  })
})
