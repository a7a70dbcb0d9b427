import { createRng } from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import type { Box, DetectionTarget } from "../boxes.ts"
import type { DecodedPicture } from "./decode-picture.ts"
import { prepareDetection } from "./prepare-detection.ts"
import { inMemory } from "./prepare-picture.ts"
import type { SsdAugmentation } from "./ssd-augmentation.ts"

const all: SsdAugmentation = { photometric: true, expand: true, iouCrop: true, flip: true }
const none: SsdAugmentation = { photometric: false, expand: false, iouCrop: false, flip: false }
const grey = 100

/** A dim picture with one bright rectangle of whole pixels. */
function painted(width: number, height: number, [x1, y1, x2, y2]: Box): DecodedPicture {
  const pixels = new Uint8Array(width * height * 3).fill(grey)
  for (let row = y1; row < y2; row++) pixels.fill(255, (row * width + x1) * 3, (row * width + x2) * 3)
  return inMemory({ width, height, pixels })
}

function targetOf({ width, height }: DecodedPicture, ...boxes: Box[]): DetectionTarget {
  return { width, height, boxes: boxes.map((box, classIndex) => ({ classIndex, box, isDifficult: classIndex === 1 })) }
}

async function prepare(
  picture: DecodedPicture,
  target: DetectionTarget,
  { augmentation = none, seed = 0, side = 128 }: { augmentation?: SsdAugmentation; seed?: number; side?: number } = {},
) {
  const size = { width: side, height: side }
  const change = { augmentation, rng: createRng(seed) }
  return await prepareDetection({ picture, name: "p.jpg", target, change, size, fill: [grey, grey, grey] })
}

/**
 * Where the rectangle stands, to a fraction of a pixel: how bright a column or row is says how much of it is covered.
 * Averages over the brightest rows and columns, since those at its ends are covered in part.
 */
function findRectangle(pixels: Uint8Array, side: number): Box {
  const bright = (column: number, row: number) => Math.max(0, (pixels[(row * side + column) * 3] as number) - grey)
  const everywhere = Array.from({ length: side }, (_, index) => index)
  const columns = everywhere.map((x) => Math.max(...everywhere.map((y) => bright(x, y))))
  const rows = everywhere.map((y) => Math.max(...everywhere.map((x) => bright(x, y))))
  const ends = (profile: number[]): [number, number] => {
    const peak = Math.max(...profile)
    const length = profile.reduce((sum, value) => sum + value / peak, 0)
    const middle = profile.reduce((sum, value, place) => sum + (value / peak) * (place + 0.5), 0) / length
    return [middle - length / 2, middle + length / 2]
  }
  const [x1, x2] = ends(columns)
  const [y1, y2] = ends(rows)
  return [x1, y1, x2, y2]
}

describe("a picture for detection", () => {
  test("is the same picture with the same boxes when everything is off and the size fits", async () => {
    const rectangle: Box = [10, 20, 60, 90]
    const picture = painted(128, 128, rectangle)
    const target = targetOf(picture, rectangle, [1.25, 2.5, 3.75, 4])
    const prepared = await prepare(picture, target)
    expect(prepared.target).toEqual(target)
    expect(Buffer.compare(prepared.pixels, picture.pixels)).toBe(0)
  })

  test("is brought to the input's size with its boxes, whatever its proportions", async () => {
    const picture = painted(320, 240, [80, 60, 160, 180])
    const { pixels, target } = await prepare(picture, targetOf(picture, [80, 60, 160, 180], [0, 0, 320, 240]))
    expect(target.boxes.map(({ box }) => box)).toEqual([
      [32, 32, 64, 96],
      [0, 0, 128, 128],
    ])
    expect(target).toMatchObject({ width: 128, height: 128, boxes: [{ isDifficult: false }, { isDifficult: true }] })
    for (const [side, place] of findRectangle(pixels, 128).entries()) {
      expect(place).toBeCloseTo([32, 32, 64, 96][side]!, 1)
    }
  })

  test("shows its object where the box says, for every augmentation of 400 seeds", async () => {
    // Colours stay, so that the rectangle can be told from the canvas.
    const augmentation = { ...all, photometric: false }
    let [smallest, largest] = [128, 0]
    for (let seed = 0; seed < 400; seed++) {
      const rng = createRng("rectangles").child(seed)
      const [width, height] = [100 + rng.integer(300), 100 + rng.integer(300)]
      const [x1, y1] = [rng.integer(width - 40), rng.integer(height - 40)]
      const rectangle: Box = [x1, y1, x1 + 30 + rng.integer(width - x1 - 30), y1 + 30 + rng.integer(height - y1 - 30)]
      const picture = painted(width, height, rectangle)
      const { pixels, target } = await prepare(picture, targetOf(picture, rectangle), { augmentation, seed })
      expect(target.boxes).toHaveLength(1)
      const box = target.boxes[0]!.box
      for (const [side, place] of findRectangle(pixels, 128).entries()) {
        expect(Math.abs(place - box[side]!), `seed ${seed}: ${findRectangle(pixels, 128)} for ${box}`).toBeLessThan(
          0.35,
        )
      }
      smallest = Math.min(smallest, box[2] - box[0])
      largest = Math.max(largest, box[2] - box[0])
    }
    expect(smallest).toBeLessThan(12)
    expect(largest).toBe(128)
  })

  test("keeps every box inside the input and of some area, also with all changes", async () => {
    const picture = painted(150, 90, [10, 10, 30, 30])
    const boxes: Box[] = [
      [10, 10, 30, 30],
      [0, 0, 150, 90],
      [149, 89, 150, 90],
      [70.5, 40.25, 71, 41],
    ]
    for (let seed = 0; seed < 300; seed++) {
      const { target, pixels } = await prepare(picture, targetOf(picture, ...boxes), {
        augmentation: all,
        seed,
        side: 64,
      })
      expect(pixels.length).toBe(64 * 64 * 3)
      expect(target.boxes.length).toBeGreaterThan(0)
      for (const { box } of target.boxes) {
        const [x1, y1, x2, y2] = box
        expect(Math.min(x1, y1)).toBeGreaterThanOrEqual(0)
        expect(Math.max(x2, y2)).toBeLessThanOrEqual(64)
        expect(Math.min(x2 - x1, y2 - y1)).toBeGreaterThan(0)
      }
    }
  })

  test("is changed as if crowds were not there", async () => {
    const picture = painted(150, 90, [10, 10, 30, 30])
    const target = targetOf(picture, [10, 10, 30, 30])
    const crowd = { classIndex: 0, box: [60, 20, 140, 80], isDifficult: false, isCrowd: true } as const
    for (let seed = 0; seed < 30; seed++) {
      const change = { augmentation: all, seed }
      const [without, withCrowd] = [
        await prepare(picture, target, change),
        await prepare(picture, { ...target, boxes: [crowd, ...target.boxes] }, change),
      ]
      expect(withCrowd.target).toEqual(without.target)
      expect(Buffer.compare(withCrowd.pixels, without.pixels)).toBe(0)
    }
  })

  test("is mirrored with its boxes", async () => {
    const picture = painted(128, 128, [10, 20, 30, 50])
    const flipped = { ...none, flip: true }
    const boxes = []
    for (let seed = 0; seed < 20; seed++) {
      const { pixels, target } = await prepare(picture, targetOf(picture, [10, 20, 30, 50]), {
        augmentation: flipped,
        seed,
      })
      expect(findRectangle(pixels, 128)).toEqual(target.boxes[0]!.box)
      boxes.push(target.boxes[0]!.box.join())
    }
    expect([...new Set(boxes)].toSorted()).toEqual(["10,20,30,50", "98,20,118,50"])
  })

  test("expands to a canvas of the mean colour with probability one half", async () => {
    const picture = inMemory({ width: 90, height: 60, pixels: new Uint8Array(90 * 60 * 3).fill(255) })
    let expanded = 0
    for (let seed = 0; seed < 200; seed++) {
      const { target, pixels } = await prepare(picture, targetOf(picture, [0, 0, 90, 60]), {
        augmentation: { ...none, expand: true },
        seed,
      })
      const [x1, y1, x2, y2] = target.boxes[0]!.box
      if (pixels.includes(grey)) expanded++
      expect(x2 - x1).toBeGreaterThan(128 / 4.1)
      expect((x2 - x1) / (y2 - y1)).toBeCloseTo(1, 1)
    }
    expect(Math.abs(expanded - 100)).toBeLessThan(4 * Math.sqrt(50))
  })

  test("of many changes is the same for the same stream and another for another", async () => {
    const picture = painted(128, 100, [10, 20, 60, 90])
    const target = targetOf(picture, [10, 20, 60, 90])
    const first = await prepare(picture, target, { augmentation: all, seed: 3 })
    expect(await prepare(picture, target, { augmentation: all, seed: 3 })).toEqual(first)
    expect(await prepare(picture, target, { augmentation: all, seed: 4 })).not.toEqual(first)
    // The picture itself is shared by all who use it.
    expect(picture).toEqual(painted(128, 100, [10, 20, 60, 90]))
  })

  test("without objects is changed all the same", async () => {
    const picture = painted(128, 100, [10, 20, 60, 90])
    for (let seed = 0; seed < 30; seed++) {
      expect((await prepare(picture, targetOf(picture), { augmentation: all, seed })).target.boxes).toEqual([])
    }
  })

  test("is refused when its boxes were measured in a picture of another size", async () => {
    const picture = painted(100, 128, [10, 20, 60, 90])
    const wrong = { ...targetOf(picture, [10, 20, 60, 90]), width: 128, height: 100 }
    await expect(prepare(picture, wrong)).rejects.toMatchObject({
      code: "PICTURE_SIZE",
      message: expect.stringMatching(/p\.jpg: expected 128x100 pixels.*got 100x128/),
    })
  })
})
