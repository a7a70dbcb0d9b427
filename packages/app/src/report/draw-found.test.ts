import type { DetectionDataset, Picture, PoseDataset } from "@learnloss/learn"
import sharp from "sharp"
import { expect, test } from "vitest"
import { classColour } from "../drawing/class-colours.ts"
import { sideColours } from "../drawing/skeleton-svg.ts"
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

/** Counts the pixels of a colour below the legend, between two shares of a sheet's width. */
async function counterOf(png: Uint8Array): Promise<(colour: string, from: number, to: number) => number> {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
  return (colour, from, to) => {
    const wanted = [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16))
    let pixels = 0
    for (let at = 0; at < data.length; at += info.channels) {
      const [x, y] = [(at / info.channels) % info.width, Math.floor(at / info.channels / info.width)]
      // Below the legend.
      if (
        y > 40 &&
        x >= from * info.width &&
        x < to * info.width &&
        wanted.every((value, channel) => Math.abs(data[at + channel]! - value) < 12)
      )
        pixels++
    }
    return pixels
  }
}

test("what a person marked is drawn at the left, and what was found with some certainty at the right", async () => {
  const objects = [
    { classIndex: 1, score: 0.9, box: [100, 40, 190, 90] as [number, number, number, number] },
    { classIndex: 0, score: 0.1, box: [0, 0, 200, 100] as [number, number, number, number] },
  ]
  const png = await drawFound([{ id: "some/a.jpg", objects }], pool)
  const count = await counterOf(png)
  expect(count(classColour(0), 0, 0.5)).toBeGreaterThan(100)
  expect(count(classColour(1), 0, 0.5)).toBe(0)
  expect(count(classColour(1), 0.5, 1)).toBeGreaterThan(100)
  expect(count(classColour(0), 0.5, 1)).toBe(0)
})

test("of a person the square is drawn, with the marked joints at the left and the found ones at the right", async () => {
  const skeleton = { names: ["hip", "left_foot", "right_foot"], bones: [[0, 1] as const, [0, 2] as const] }
  const joint = (x: number, y: number, visibility: 0 | 2) => ({ x, y, visibility })
  const person = {
    ...{ width: 100, height: 50, box: null, area: null, head: null, imageId: "a.jpg" },
    // The right foot is not labelled.
    joints: [joint(50, 10, 2), joint(60, 40, 2), joint(0, 0, 0)],
    crop: { center: [50, 25], side: 50 } as const,
  }
  const people = { ids: ["a.jpg#0"], targets: [person], picture: () => picture }
  const data: PoseDataset = {
    ...{ name: "made up", imageShape: { channels: 3, height: 64, width: 64 }, classNames: skeleton.names },
    ...{ normalization: pool.normalization, skeleton: { ...skeleton, pairs: [[1, 2]] }, train: people, test: people },
  }
  const joints: [number, number, number][] = [
    [50, 10, 0.9],
    [70, 40, 0.1],
    [40, 40, 0.8],
  ]
  const box: [number, number, number, number] = [25, 0, 75, 50]
  const count = await counterOf(
    await drawFound([{ id: "a.jpg#0", objects: [{ classIndex: 0, score: 0.6, box, joints }] }], data),
  )
  expect(count(sideColours.left, 0, 0.5)).toBeGreaterThan(100)
  expect(count(sideColours.right, 0, 0.5)).toBe(0)
  expect(count(sideColours.right, 0.5, 1)).toBeGreaterThan(100)
  // The square fills its cell, so a foot at 70 of 25..75 lies at nine tenths of the right one.
  expect(count(sideColours.left, 0.915, 0.955)).toBeGreaterThan(10)
})
