import type { ImagePrediction } from "@learnloss/learn"
import { describe, expect, test } from "vitest"
import { type Predictions, predictionWriters } from "./write-predictions.ts"

const network = { where: "net.onnx", task: "detection", classNames: ["cat", "dog"] } as const
const images: readonly ImagePrediction[] = [
  {
    path: "b/two.jpg",
    size: { width: 640, height: 480 },
    answer: {
      task: "detection",
      predictedLoss: 0.25,
      detections: [
        { classIndex: 1, score: 0.9, box: [10.004, 20, 110.5, 70] },
        { classIndex: 0, score: 0.2, box: [0, 0, 640, 480] },
      ],
    },
  },
  { path: "b/broken.jpg", unreadable: "expected an image, got none" },
  {
    path: "b/empty.jpg",
    size: { width: 30, height: 20 },
    answer: { task: "detection", predictedLoss: null, detections: [] },
  },
]
const at = (threshold: number): Predictions => ({ network, images, threshold })

describe("detections", () => {
  test("as text are counted, with score, class and box of each", () => {
    expect(predictionWriters.text(at(0))).toBe(
      "b/two.jpg: 2 objects\n   90.0%  dog  [10, 20, 111, 70]\n   20.0%  cat  [0, 0, 640, 480]\nb/empty.jpg: no objects\n",
    )
    expect(predictionWriters.text(at(0.5))).toContain("b/two.jpg: 1 object\n")
  })

  test("as JSON have boxes in pixels, and name what could not be read", () => {
    expect(JSON.parse(predictionWriters.json(at(0.5)))).toEqual({
      network: "net.onnx",
      task: "detection",
      classes: ["cat", "dog"],
      threshold: 0.5,
      images: [
        {
          path: "b/two.jpg",
          width: 640,
          height: 480,
          predictedLoss: 0.25,
          predictions: [{ class: "dog", score: 0.9, box: [10, 20, 110.5, 70] }],
        },
        { path: "b/empty.jpg", width: 30, height: 20, predictions: [] },
      ],
      unreadable: [{ path: "b/broken.jpg", reason: "expected an image, got none" }],
    })
  })

  test("as COCO file have their images, sizes instead of second corners, and scores", () => {
    expect(JSON.parse(predictionWriters.coco(at(0)))).toEqual({
      images: [
        { id: 1, file_name: "b/two.jpg", width: 640, height: 480 },
        { id: 2, file_name: "b/empty.jpg", width: 30, height: 20 },
      ],
      categories: [
        { id: 1, name: "cat" },
        { id: 2, name: "dog" },
      ],
      annotations: [
        { id: 1, image_id: 1, category_id: 2, bbox: [10, 20, 100.5, 50], area: 5024.8, iscrowd: 0, score: 0.9 },
        { id: 2, image_id: 1, category_id: 1, bbox: [0, 0, 640, 480], area: 307200, iscrowd: 0, score: 0.2 },
      ],
    })
  })
})

test("nothing readable is an empty text and a whole file", () => {
  const none = { network, images: images.slice(1, 2), threshold: 0 }
  expect(predictionWriters.text(none)).toBe("")
  expect(JSON.parse(predictionWriters.coco(none))).toMatchObject({ images: [], annotations: [] })
})
