import { createRng } from "@learnloss/engine"
import { describe, expect, it } from "vitest"
import type { Picture } from "../dataset.ts"
import { generateShapesDetection } from "./generate-detection.ts"
import { outlines } from "./outlines.ts"
import { sampleField } from "./paint.ts"
import { paintScene, sceneSide } from "./scene.ts"

const options = { imageSize: 128, rng: createRng(0) }
/** The outlines without soft edges, so that a pixel is covered or not. */
const fields = Object.values(outlines).map((outline) => sampleField((x, y) => (outline(x, y) < 0 ? -9 : 9)))
const noNoise = new Float32Array(2 ** 16)

/** Places of the pixels that shapes changed: the same picture is painted once more with outlines that cover nothing. */
function changedPixels(seed: number) {
  const { picture, boxes } = paintScene(fields, noNoise, createRng(seed))
  const bare = paintScene([sampleField(() => 9)], noNoise, createRng(seed)).picture
  const changed: [column: number, row: number][] = []
  for (let pixel = 0; pixel < sceneSide * sceneSide; pixel++) {
    const differs = [0, 1, 2].some(
      (channel) => picture.pixels[3 * pixel + channel] !== bare.pixels[3 * pixel + channel],
    )
    if (differs) changed.push([pixel % sceneSide, Math.floor(pixel / sceneSide)])
  }
  return { changed, boxes }
}

describe("paintScene", () => {
  it("gives boxes that hold each shape and nothing more", () => {
    let singles = 0
    for (let seed = 0; seed < 60; seed++) {
      const { changed, boxes } = changedPixels(seed)
      const isHeld = ([column, row]: [number, number]) =>
        boxes.some(({ box: [x1, y1, x2, y2] }) => column >= x1 && column < x2 && row >= y1 && row < y2)
      expect(changed.filter((place) => !isHeld(place))).toEqual([])
      const [only] = boxes
      if (only === undefined || boxes.length > 1) continue
      singles++
      const [columns, rows] = [changed.map(([column]) => column), changed.map(([, row]) => row)]
      expect(only.box).toEqual([
        Math.min(...columns),
        Math.min(...rows),
        Math.max(...columns) + 1,
        Math.max(...rows) + 1,
      ])
    }
    expect(singles).toBeGreaterThan(3)
  })
})

describe("generateShapesDetection", () => {
  it("draws pictures with none to six shapes inside them, of every class and of different sizes", async () => {
    const { train, test, classNames, imageShape } = await generateShapesDetection("200,20", options)
    expect([train.ids.length, test.ids.length, train.ids[7]]).toEqual([200, 20, "train/00007"])
    expect(imageShape).toEqual({ channels: 3, height: 128, width: 128 })
    const counts = train.targets.map(({ boxes }) => boxes.length)
    expect([...new Set(counts)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
    const boxes = train.targets.flatMap((target) => target.boxes)
    expect(new Set(boxes.map(({ classIndex }) => classNames[classIndex])).size).toBe(6)
    const sides = boxes.map(({ box: [x1, y1, x2, y2] }) => Math.max(x2 - x1, y2 - y1))
    expect(Math.min(...sides)).toBeGreaterThan(8)
    expect(Math.max(...sides)).toBeGreaterThan(50)
    expect(boxes.every(({ box: [x1, y1, x2, y2] }) => x1 >= 0 && y1 >= 0 && x2 <= 128 && y2 <= 128)).toBe(true)
    expect(() => train.picture(200)).toThrow(RangeError)
  })

  it("draws the same by the same seed, however many are drawn", async () => {
    const few = await generateShapesDetection("10,10", options)
    const more = await generateShapesDetection("12,10", options)
    const other = await generateShapesDetection("10,10", { ...options, rng: createRng(1) })
    const pixels = (dataset: typeof few, position: number) => (dataset.train.picture(position) as Picture).pixels
    for (let position = 0; position < 10; position++) {
      expect(pixels(few, position)).toEqual(pixels(more, position))
      expect(few.train.targets[position]).toEqual(more.train.targets[position])
    }
    expect(few.test.targets).toEqual(more.test.targets)
    expect(pixels(few, 0)).not.toEqual(pixels(other, 0))
    expect(pixels(few, 0)).not.toEqual((few.test.picture(0) as Picture).pixels)
  })

  it("refuses sizes that are none", async () => {
    await expect(generateShapesDetection("10", options)).rejects.toThrow(/shapes-detection:2000,500/)
    await expect(generateShapesDetection("10,99999", options)).rejects.toMatchObject({ code: "BAD_SIZE" })
  })
})
