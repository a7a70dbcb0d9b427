import { createRng } from "@learnloss/engine"
import { describe, expect, onTestFinished, test } from "vitest"
import type { Joint, PersonTarget, Skeleton } from "../people.ts"
import type { DecodedPicture } from "./decode-picture.ts"
import { PictureWorkers } from "./picture-workers.ts"
import type { PoseAugmentation } from "./pose-augmentation.ts"
import { inMemory } from "./prepare-picture.ts"
import { preparePose } from "./prepare-pose.ts"

const all: PoseAugmentation = { scale: 0.25, rotation: 30, rotationShare: 0.6, flip: true, colour: 0.2 }
const none: PoseAugmentation = { scale: 0, rotation: 0, rotationShare: 0, flip: false, colour: 0 }
const grey = 100
const fill = [grey, grey, grey] as const
/** Where the markers' colours are: red marks the left hand, green the right one, blue the head. */
const skeleton: Skeleton = { names: ["left_wrist", "right_wrist", "head"], bones: [], pairs: [[0, 1]] }

/** A dim picture with a soft round marker at each joint, in a channel of its own. */
function painted(width: number, height: number, joints: readonly { x: number; y: number }[], deviation: number) {
  const pixels = new Uint8Array(width * height * 3).fill(grey)
  for (const [channel, { x, y }] of joints.entries()) {
    for (let pixel = 0; pixel < width * height; pixel++) {
      const away = Math.hypot((pixel % width) + 0.5 - x, Math.floor(pixel / width) + 0.5 - y) / deviation
      if (away < 4) pixels[pixel * 3 + channel] = Math.round(grey + 120 * Math.exp(-0.5 * away * away))
    }
  }
  return inMemory({ width, height, pixels })
}

function person({ width, height }: DecodedPicture, places: readonly { x: number; y: number }[], side: number) {
  const joints = places.map((place): Joint => ({ ...place, visibility: 2 }))
  const center = [width / 2 + 3.25, height / 2 - 4.5] as const
  const head = { length: 12, from: "head box" } as const
  const box = [center[0] - 20, center[1] - 30, center[0] + 20, center[1] + 30] as const
  return { width, height, joints, crop: { center, side }, box, area: 2400, head, imageId: "p" } satisfies PersonTarget
}

interface PrepareOptions {
  readonly augmentation: PoseAugmentation
  readonly seed: number
  readonly side: number
  readonly pairs: Skeleton["pairs"]
}

async function prepare(
  picture: DecodedPicture,
  target: PersonTarget,
  { augmentation = none, seed = 0, side = 128, pairs = skeleton.pairs }: Partial<PrepareOptions> = {},
) {
  const size = { width: side, height: side }
  const change = { augmentation, rng: createRng(seed) }
  const known = { ...skeleton, pairs }
  return await preparePose({ picture, name: "p.jpg", target, change, size, fill, skeleton: known })
}

/** Middle of the marker in a channel, to a fraction of a pixel. */
function findMarker(pixels: Uint8Array, side: number, channel: number): { x: number; y: number } {
  let [x, y, weights] = [0, 0, 0]
  for (let pixel = 0; pixel < side * side; pixel++) {
    const value = pixels[pixel * 3 + channel] as number
    const weight = Math.max(0, value - grey - 8)
    x += weight * ((pixel % side) + 0.5)
    y += weight * (Math.floor(pixel / side) + 0.5)
    weights += weight
  }
  return { x: x / weights, y: y / weights }
}

/** Whether three places follow each other clockwise, which only a mirror changes. */
function turnOf(places: readonly { x: number; y: number }[]): boolean {
  const [a, b, c] = places as [{ x: number; y: number }, { x: number; y: number }, { x: number; y: number }]
  return (b.x - a.x) * (c.y - a.y) > (b.y - a.y) * (c.x - a.x)
}

describe("a picture of a person", () => {
  test("shows each joint where the target says, for every change of 300 seeds", async () => {
    // Colours stay, so that a marker can be told from the ground.
    const augmentation = { ...all, colour: 0 }
    const [sizes, mirrored, turned]: [number[], boolean[], boolean[]] = [[], [], []]
    for (let seed = 0; seed < 300; seed++) {
      const rng = createRng("markers").child(seed)
      const [width, height] = [100 + rng.integer(150), 100 + rng.integer(150)]
      const side = 90 + rng.integer(90)
      const around = (from: number) => from / 2 + 0.2 * side * (2 * rng.float() - 1)
      const places = skeleton.names.map(() => ({ x: around(width), y: around(height) }))
      const picture = painted(width, height, places, side / 40)
      const before = person(picture, places, side)
      const { pixels, target } = await prepare(picture, before, { augmentation, seed })
      const markers = skeleton.names.map((_, channel) => findMarker(pixels, 128, channel))
      const isMirrored = turnOf(markers) !== turnOf(places)
      for (const [joint, { x, y, visibility }] of target.joints.entries()) {
        // What was the left wrist is the right one in the mirror, and keeps its colour.
        const marker = markers[isMirrored && joint < 2 ? 1 - joint : joint]!
        expect(Math.hypot(marker.x - x, marker.y - y), `seed ${seed}, joint ${joint}`).toBeLessThan(0.35)
        expect(visibility).toBe(2)
      }
      const across = (joints: readonly { x: number; y: number }[]) =>
        Math.hypot(joints[0]!.x - joints[1]!.x, joints[0]!.y - joints[1]!.y)
      sizes.push(((across(places) / across(target.joints)) * 128) / side)
      mirrored.push(isMirrored)
      turned.push(target.box![2] - target.box![0] > 1.001 * (40 / 60) * (target.box![3] - target.box![1]))
    }
    expect(Math.min(...sizes)).toBeCloseTo(0.75, 5)
    expect(Math.max(...sizes)).toBeCloseTo(1.25, 5)
    expect(Math.abs(turned.filter(Boolean).length - 180)).toBeLessThan(4 * Math.sqrt(300 * 0.24))
    expect(Math.abs(mirrored.filter(Boolean).length - 150)).toBeLessThan(4 * Math.sqrt(75))
  })

  test("swaps left and right where it is mirrored, half of the time", async () => {
    const places = [
      { x: 80, y: 60 },
      { x: 40, y: 70 },
      { x: 62, y: 30 },
    ]
    const picture = painted(120, 120, places, 3)
    const before = { ...person(picture, places, 128), crop: { center: [60, 60], side: 128 } } as const
    let mirrored = 0
    for (let seed = 0; seed < 100; seed++) {
      const { pixels, target } = await prepare(picture, before, { augmentation: { ...none, flip: true }, seed })
      const [left, right, head] = target.joints as [Joint, Joint, Joint]
      if (head.x < 64) {
        mirrored++
        // The red marker, a left hand before, is to the left in the mirror and belongs to the right arm.
        expect([left, right]).toMatchObject([
          { x: 84, y: 74 },
          { x: 44, y: 64 },
        ])
        expect(findMarker(pixels, 128, 0).x).toBeCloseTo(right.x, 1)
        expect(findMarker(pixels, 128, 1).x).toBeCloseTo(left.x, 1)
      } else {
        expect(target.joints).toEqual(before.joints.map(({ x, y }) => ({ x: x + 4, y: y + 4, visibility: 2 })))
        expect(findMarker(pixels, 128, 0).x).toBeCloseTo(left.x, 1)
      }
    }
    expect(Math.abs(mirrored - 50)).toBeLessThan(20)
  })

  test("is never mirrored where no joints change places", async () => {
    const places = [{ x: 20, y: 30 }]
    const picture = painted(64, 64, places, 3)
    const before = { ...person(picture, places, 64), crop: { center: [32, 32], side: 64 } } as const
    const augmentation = { ...none, flip: true }
    for (let seed = 0; seed < 40; seed++) {
      const { pixels, target } = await prepare(picture, before, { augmentation, seed, side: 64, pairs: [] })
      expect(target).toEqual(before)
      expect(Buffer.compare(pixels, picture.pixels)).toBe(0)
    }
  })

  test("is the picture itself when nothing changes and the crop is the whole of it", async () => {
    const places = [{ x: 20, y: 30 }]
    const picture = painted(64, 64, places, 3)
    const target = { ...person(picture, places, 64), crop: { center: [32, 32], side: 64 } } as const
    const prepared = await prepare(picture, target, { side: 64 })
    expect(prepared.target).toEqual(target)
    expect(Buffer.compare(prepared.pixels, picture.pixels)).toBe(0)
  })

  test("has the mean colour where its crop leaves the image, whatever becomes of the colours", async () => {
    const picture = inMemory({ width: 40, height: 60, pixels: new Uint8Array(40 * 60 * 3).fill(200) })
    const target = { ...person(picture, [{ x: 5, y: 5 }], 80), crop: { center: [0, 60], side: 80 } } as const
    const augmentation = { ...none, colour: 0.2 }
    const { pixels, target: seen } = await prepare(picture, target, { augmentation, side: 80 })
    const at = (x: number, y: number) => [...pixels.subarray((y * 80 + x) * 3, (y * 80 + x) * 3 + 3)]
    expect(at(10, 10)).toEqual([grey, grey, grey])
    expect(at(60, 50)).toEqual([grey, grey, grey])
    expect(at(45, 10).every((value) => value > 159 && value < 241 && value !== 200)).toBe(true)
    expect(new Set(at(45, 10)).size).toBe(3)
    expect(seen.joints[0]).toEqual({ x: 45, y: -15, visibility: 2 })
    const elsewhere = { ...target, crop: { center: [-500, -500], side: 80 } } as const
    const away = await prepare(picture, elsewhere)
    expect(new Set(away.pixels)).toEqual(new Set([grey]))
  })

  test("turns fine patterns grey where it shrinks by five", async () => {
    const side = 640
    const stripes = new Uint8Array(side * side * 3).map((_, index) => (Math.floor(index / 3) % 2 === 0 ? 0 : 255))
    const picture = inMemory({ width: side, height: side, pixels: stripes })
    const target = { ...person(picture, [], side), crop: { center: [side / 2, side / 2], side } } as const
    for (const seed of [0, 1, 2, 3]) {
      const augmentation = seed === 0 ? none : { ...none, rotation: 30, rotationShare: 1 }
      const { pixels } = await prepare(picture, target, { augmentation, seed })
      const middle = [44, 54, 64, 74, 84].flatMap((y) => [...pixels.subarray((y * 128 + 32) * 3, (y * 128 + 96) * 3)])
      // A pixel of five columns holds two or three white ones.
      expect(Math.max(...middle)).toBeLessThan(160)
      expect(Math.min(...middle)).toBeGreaterThan(95)
    }
  })

  test("measures box, area and head in the pixels of the input", async () => {
    const picture = painted(200, 100, [{ x: 100, y: 50 }], 3)
    const { target } = await prepare(picture, person(picture, [{ x: 100, y: 50 }], 64))
    expect(target).toMatchObject({ width: 128, height: 128, crop: { center: [64, 64], side: 128 }, imageId: "p" })
    expect(target.box).toEqual([24, 4, 104, 124])
    expect(target.area).toBeCloseTo(9600, 9)
    expect(target.head!.length).toBeCloseTo(24, 9)
    const bare = { ...person(picture, [], 64), box: null, area: null, head: null }
    expect((await prepare(picture, bare, { augmentation: all })).target).toMatchObject({ box: null, area: null })
  })

  test("is the same for the same stream, another for another, and for any number of threads", async () => {
    const places = [
      { x: 80, y: 60 },
      { x: 40, y: 70 },
      { x: 62, y: 30 },
    ]
    const picture = painted(150, 120, places, 3)
    const target = person(picture, places, 140)
    const data = {
      imageShape: { channels: 3, height: 64, width: 64 },
      normalization: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
      skeleton,
    }
    const [one, ...others] = await Promise.all(
      [1, 2, 3].map((count) => {
        const workers = new PictureWorkers({ task: "pose", data, count })
        onTestFinished(() => workers.release())
        return Promise.all(
          [0, 1, 2, 3, 4].map((position) => {
            const change = { augmentation: all, rng: createRng(1).child(position) }
            return workers.prepare({ source: picture, position, target, change })
          }),
        )
      }),
    )
    for (const other of others) expect(other).toEqual(one)
    expect(one![0]!.planes).not.toEqual(one![1]!.planes)
    // Threads know which joints change places.
    const change = { augmentation: all, rng: createRng(1).child(3) }
    const size = { width: 64, height: 64 }
    const alone = await preparePose({ picture, name: "p.jpg", target, change, size, fill: [128, 128, 128], skeleton })
    expect(one![3]!.target).toEqual(alone.target)
    expect(picture).toEqual(painted(150, 120, places, 3))
  })

  test("is refused when its joints were measured in a picture of another size", async () => {
    const picture = painted(100, 128, [], 3)
    const wrong = { ...person(picture, [], 90), width: 128, height: 100 }
    await expect(prepare(picture, wrong)).rejects.toMatchObject({
      code: "PICTURE_SIZE",
      message: expect.stringMatching(/p\.jpg: expected 128x100 pixels, in which its joints are measured.*got 100x128/),
    })
  })
})
