import type { DetectionDataset, Picture } from "@learnloss/learn"
import sharp from "sharp"
import { expect, test } from "vitest"
import { classColour } from "../drawing/class-colours.ts"
import { drawFound } from "./draw-found.ts"

const picture: Picture = { width: 100, height: 50, pixels: new Uint8Array(15000).fill(128) }
const boxes = [{ classIndex: 0, box: [10, 10, 60, 45], isDifficult: false }] as const
const split = { ids: ["some/a.jpg"], targets: [{ width: 200, height: 100, boxes }], picture: () => picture }
const pool: DetectionDataset = {
  name: "made up",
  imageShape: { channels: 3, height: 8, width: 8 },
  classNames: ["cat", "dog"],
  normalization: { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] },
  train: split,
  test: split,
}

test("what a person marked is drawn at the left, and what was found with some certainty at the right", async () => {
  const objects = [
    { classIndex: 1, score: 0.9, box: [100, 40, 190, 90] as [number, number, number, number] },
    { classIndex: 0, score: 0.1, box: [0, 0, 200, 100] as [number, number, number, number] },
  ]
  const png = await drawFound([{ id: "some/a.jpg", objects }], pool)
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
  const count = (colour: string, from: number, to: number) => {
    const wanted = [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16))
    let pixels = 0
    for (let at = 0; at < data.length; at += info.channels) {
      const [x, y] = [(at / info.channels) % info.width, Math.floor(at / info.channels / info.width)]
      // Below the legend.
      if (y > 40 && x >= from && x < to && wanted.every((value, channel) => Math.abs(data[at + channel]! - value) < 12))
        pixels++
    }
    return pixels
  }
  const middle = info.width / 2
  expect(count(classColour(0), 0, middle)).toBeGreaterThan(100)
  expect(count(classColour(1), 0, middle)).toBe(0)
  expect(count(classColour(1), middle, info.width)).toBeGreaterThan(100)
  expect(count(classColour(0), middle, info.width)).toBe(0)
})
