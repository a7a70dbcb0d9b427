import { join } from "node:path"
import { createRng, LearnlossError } from "@learnloss/engine"
import sharp from "sharp"
import { describe, expect, onTestFinished, test } from "vitest"
import type { DetectionTarget } from "../boxes.ts"
import { temporaryFolder, write } from "../data-files.test-suite.ts"
import { PictureWorkers } from "./picture-workers.ts"
import type { SsdAugmentation } from "./ssd-augmentation.ts"

const data = {
  imageShape: { channels: 3, height: 32, width: 32 },
  normalization: { mean: [0.5, 0.25, 0], std: [0.5, 0.25, 1] },
}
const augmentation: SsdAugmentation = { photometric: true, expand: true, iouCrop: true, flip: true }
const target: DetectionTarget = {
  width: 60,
  height: 40,
  boxes: [{ classIndex: 2, box: [10, 10, 50, 35], isDifficult: false }],
}

function open(count: number, cacheBytes?: number): PictureWorkers<"detection"> {
  const workers = new PictureWorkers({
    task: "detection",
    data,
    count,
    ...(cacheBytes !== undefined && { cacheBytes }),
  })
  onTestFinished(() => workers.release())
  return workers
}

/** Files of 60x40 pixels of noise. */
async function writePictures(count: number): Promise<string[]> {
  const folder = temporaryFolder()
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const rng = createRng(index)
      const pixels = Uint8Array.from({ length: 60 * 40 * 3 }, () => rng.integer(256))
      const path = join(folder, `${index}.png`)
      await sharp(pixels, { raw: { width: 60, height: 40, channels: 3 } }).toFile(path)
      return path
    }),
  )
}

function prepareAll(workers: PictureWorkers<"detection">, paths: readonly string[], seed = 0) {
  return Promise.all(
    paths.map((source, position) => {
      const change = { augmentation, rng: createRng(seed).child(`step/${position}`) }
      return workers.prepare({ source, position, target, change })
    }),
  )
}

describe("picture workers", () => {
  test("give the same for any number of threads and any room for what they decoded", async () => {
    const paths = await writePictures(7)
    const [one, three, forgetful] = [open(1), open(3), open(2, 0)]
    const prepared = await prepareAll(one, paths)
    expect(await prepareAll(three, paths)).toEqual(prepared)
    expect(await prepareAll(forgetful, paths)).toEqual(prepared)
    // Asked for again they come from memory.
    expect(await prepareAll(three, paths)).toEqual(prepared)
    expect(await prepareAll(three, paths, 1)).not.toEqual(prepared)
    for (const { planes, target: changed } of prepared) {
      expect(planes.length).toBe(3 * 32 * 32)
      expect(changed).toMatchObject({ width: 32, height: 32, boxes: [{ classIndex: 2 }] })
    }
  })

  test("bring pictures from memory to normalised planes and their boxes to the input's size", async () => {
    const pixels = new Uint8Array(60 * 40 * 3).map((_, index) => [255, 0, 51][index % 3]!)
    const { planes, target: scaled } = await open(2).prepare({
      source: { width: 60, height: 40, pixels },
      position: 5,
      target,
      change: null,
    })
    expect([...new Set(planes.subarray(0, 1024))]).toEqual([1])
    expect([...new Set(planes.subarray(1024, 2048))]).toEqual([-1])
    expect([...new Set(planes.subarray(2048))]).toEqual([Math.fround(0.2)])
    expect(scaled.boxes[0]!.box).toEqual([(10 * 32) / 60, 8, (50 * 32) / 60, 28])
    // The caller keeps its picture.
    expect(pixels.length).toBe(7200)
  })

  test("throw the typed errors of bad files and go on with the others", async () => {
    const [path] = (await writePictures(1)) as [string]
    const broken = join(temporaryFolder(), "broken.jpg")
    write(broken, "no image")
    const workers = open(1)
    const bad = workers.prepare({ source: broken, position: 0, target, change: null }).catch((error: unknown) => error)
    const wrong = workers
      .prepare({ source: path, position: 0, target: { ...target, width: 61 }, change: null })
      .catch((error: unknown) => error)
    const good = await workers.prepare({ source: path, position: 0, target, change: null })
    expect(good.planes.length).toBe(3072)
    expect(await bad).toBeInstanceOf(LearnlossError)
    expect(await bad).toMatchObject({ code: "BAD_IMAGE", details: { where: broken } })
    expect(await wrong).toMatchObject({ code: "PICTURE_SIZE", details: { where: path } })
  })

  test("fail pictures that are being prepared when they are released", async () => {
    const [path] = (await writePictures(1)) as [string]
    const workers = open(2)
    const pending = workers.prepare({ source: path, position: 0, target, change: null })
    await Promise.all([expect(pending).rejects.toThrow("released under a call"), workers.release()])
  })
})
