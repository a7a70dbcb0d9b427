import { describe, expect, test } from "vitest"
import type { Detection, DetectionTarget } from "../../data/boxes.ts"
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
