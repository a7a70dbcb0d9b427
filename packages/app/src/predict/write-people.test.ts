import type { ImagePrediction } from "@learnloss/learn"
import { expect, test } from "vitest"
import { type Predictions, predictionWriters } from "./write-predictions.ts"

const network = {
  where: "net.onnx",
  task: "pose",
  classNames: ["head", "foot"],
  skeleton: { bones: [[0, 1]], pairs: [] },
} as const
const person = {
  crop: { center: [50, 40], side: 120 },
  joints: [
    { x: 50.004, y: 10, score: 0.9 },
    { x: 48, y: 75.5, score: 0.2 },
  ],
  score: 0.55,
  predictedLoss: 0.25,
} as const
const size = { width: 100, height: 80 }
const images: readonly ImagePrediction[] = [
  { path: "a.jpg", size, answer: { task: "pose", people: [person], predictedLoss: null } },
  { path: "broken.jpg", unreadable: "expected an image, got none" },
  { path: "empty.jpg", size, answer: { task: "pose", people: [], predictedLoss: null } },
]
const at = (threshold: number): Predictions => ({ network, images, threshold })

test("people as text have their predicted loss, and a line for each joint at or above the threshold", () => {
  const known = "a.jpg: 1 person\n  person 1 (55.0%, predicted loss 0.250)\n   90.0%  head  [50, 10]\n"
  expect(predictionWriters.text(at(0))).toBe(`${known}   20.0%  foot  [48, 76]\nempty.jpg: 0 people\n`)
  expect(predictionWriters.text(at(0.5))).toBe(`${known}empty.jpg: 0 people\n`)
})

test("people as text have no predicted loss where the network predicts none", () => {
  const answer = { task: "pose", people: [{ ...person, predictedLoss: null }], predictedLoss: null } as const
  const text = predictionWriters.text({ ...at(0.5), images: [{ path: "a.jpg", size, answer }] })
  expect(text).toBe("a.jpg: 1 person\n  person 1 (55.0%)\n   90.0%  head  [50, 10]\n")
})

test("people as JSON have what the network was shown, and joints by name in pixels", () => {
  expect(JSON.parse(predictionWriters.json(at(0.5)))).toMatchObject({
    task: "pose",
    images: [
      {
        path: "a.jpg",
        width: 100,
        height: 80,
        predictions: [
          {
            score: 0.55,
            crop: { center: [50, 40], side: 120 },
            predictedLoss: 0.25,
            joints: [{ name: "head", x: 50, y: 10, score: 0.9 }],
          },
        ],
      },
      { path: "empty.jpg", predictions: [] },
    ],
    unreadable: [{ path: "broken.jpg" }],
  })
})

test("people as COCO file have keypoints, and the part of their square that is in the image for a box", () => {
  expect(JSON.parse(predictionWriters.coco(at(0.5)))).toEqual({
    images: [
      { id: 1, file_name: "a.jpg", width: 100, height: 80 },
      { id: 2, file_name: "empty.jpg", width: 100, height: 80 },
    ],
    categories: [{ id: 1, name: "person", keypoints: ["head", "foot"], skeleton: [[1, 2]] }],
    annotations: [
      {
        id: 1,
        image_id: 1,
        category_id: 1,
        keypoints: [50, 10, 2, 0, 0, 0],
        num_keypoints: 1,
        bbox: [0, 0, 100, 80],
        area: 8000,
        iscrowd: 0,
        score: 0.55,
      },
    ],
  })
})

test("as results for the file that said where people are, COCO has its images' numbers and boxes", () => {
  const people = {
    of: (path: string) => (path === "a.jpg" ? [{ box: [2, 3, 50, 70], crop: person.crop } as const] : []),
    imageIdOf: (path: string) => (path === "a.jpg" ? 42 : undefined),
  }
  const { images: named, annotations } = JSON.parse(predictionWriters.coco({ ...at(0), people }))
  expect(named).toEqual([{ id: 42, file_name: "a.jpg", width: 100, height: 80 }])
  expect(annotations).toMatchObject([{ image_id: 42, bbox: [2, 3, 48, 67], num_keypoints: 2 }])
})
