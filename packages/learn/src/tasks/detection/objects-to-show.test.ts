import { detectionSchema } from "@learnloss/contract"
import { expect, test } from "vitest"
import type { Detection } from "../../data/boxes.ts"
import { detection } from "./detection.ts"

const settings = detectionSchema.parse({})
const defaultBoxes = { boxes: Float32Array.of(0.5, 0.5, 1, 1), perSource: [1] }
const task = detection(["cat", "dog"], defaultBoxes, settings)
const target = { width: 200, height: 100, boxes: [] }

test("what is kept for pictures has boxes in pixels, and no numbers finer than are seen", () => {
  const found: Detection[] = [
    { classIndex: 1, score: 0.987654321, box: [0.1, 0.1, 1 / 3, 1] },
    { classIndex: 0, score: 0.05, box: [0, 0, 1, 1] },
  ]
  expect(task.objectsToShow?.(found, target)).toEqual([{ classIndex: 1, score: 0.9877, box: [20, 10, 66.67, 100] }])
})

test("of a crowd of detections the first fifty are kept", () => {
  const found = Array.from({ length: 200 }, (_, index): Detection => {
    return { classIndex: 0, score: 1 - index / 400, box: [0, 0, 1, 1] }
  })
  const kept = task.objectsToShow?.(found, target) ?? []
  expect(kept).toHaveLength(50)
  expect(kept.at(-1)?.score).toBe(0.8775)
})
