import { mkdirSync, readFileSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { createRng } from "@learnloss/engine"
import { describe, expect, it } from "vitest"
import { temporaryFolder, write, writeClasses, writeImage } from "./data-files.test-suite.ts"
import { describeReader } from "./dataset.test-suite.ts"
import { readImageFolder } from "./image-folder.ts"
import type { DataDefect } from "./reader.ts"

const options = { imageSize: 16, rng: createRng(0) }

async function pets(): Promise<string> {
  const folder = temporaryFolder()
  await writeClasses(folder, { dog: 5, cat: 10 })
  return folder
}

function collect(): { readonly defects: DataDefect[]; readonly onDefect: (defect: DataDefect) => void } {
  const defects: DataDefect[] = []
  return { defects, onDefect: (defect) => defects.push(defect) }
}

describeReader("images, to be split", async (given) => readImageFolder(await pets(), given))
describeReader("images with train/ and test/", async (given) => {
  const folder = temporaryFolder()
  await writeClasses(join(folder, "train"), { dog: 2, cat: 1 })
  await writeClasses(join(folder, "test"), { cat: 2 })
  return readImageFolder(folder, given)
})

describe("readImageFolder", () => {
  it("splits a fifth of each class off, by the seed and not by the order of drawing", async () => {
    const folder = await pets()
    const { train, test, classNames } = await readImageFolder(folder, options)
    expect(classNames).toEqual(["cat", "dog"])
    expect(test.targets).toEqual([0, 0, 1])
    expect(train.ids.length).toBe(12)
    expect([...train.ids, ...test.ids]).toContain("dog/3.png")
    const seeds = [1, 2, 3, 4, 5, 6].map((seed) => readImageFolder(folder, { ...options, rng: createRng(seed) }))
    const splits = new Set((await Promise.all(seeds)).map((dataset) => dataset.test.ids.join()))
    expect(splits.size).toBeGreaterThan(1)
  })

  it("takes train/ and test/ as they are", async () => {
    const folder = temporaryFolder()
    await writeClasses(join(folder, "train"), { dog: 2, cat: 1 })
    await writeClasses(join(folder, "test"), { dog: 1, cat: 3 })
    const { train, test } = await readImageFolder(folder, options)
    expect(train.ids).toEqual(["train/cat/0.png", "train/dog/0.png", "train/dog/1.png"])
    expect(test.ids.length).toBe(4)
  })

  it("splits train/ when there is no test/, and takes a folder of images named train for a class", async () => {
    const folder = temporaryFolder()
    await writeClasses(join(folder, "train"), { dog: 5, cat: 5 })
    expect((await readImageFolder(folder, options)).test.ids.length).toBe(2)
    const vehicles = temporaryFolder()
    await writeClasses(vehicles, { train: 3, car: 3 })
    expect((await readImageFolder(vehicles, options)).classNames).toEqual(["car", "train"])
  })

  it("reports what it leaves out, and reads the rest", async () => {
    const folder = await pets()
    write(join(folder, "notes.txt"), "")
    write(join(folder, "cat", "notes.txt"), "")
    write(join(folder, ".DS_Store"), "")
    await writeImage(join(folder, "stray.jpg"))
    await writeImage(join(folder, "dog", "old", "1.png"))
    const { defects, onDefect } = collect()
    const { train, test } = await readImageFolder(folder, { ...options, onDefect })
    expect(train.ids.length + test.ids.length).toBe(15)
    expect(defects.every((defect) => !defect.isFatal)).toBe(true)
    expect(defects.map((defect) => defect.file)).toEqual(
      [".DS_Store", "cat/notes.txt", "dog/old", "notes.txt", "stray.jpg"].map((file) => join(folder, file)),
    )
  })

  it("tries every image, reports all bad ones with file and reason and then refuses the folder", async () => {
    const folder = await pets()
    write(join(folder, "cat", "empty.png"), "")
    write(join(folder, "dog", "text.jpg"), "no image")
    await writeImage(join(folder, "dog", "tiny.png"), 1, 1)
    symlinkSync(join(folder, "nowhere.png"), join(folder, "dog", "broken.png"))
    const { defects, onDefect } = collect()
    await expect(readImageFolder(folder, { ...options, onDefect })).rejects.toMatchObject({
      code: "BAD_IMAGE",
      message: expect.stringMatching(/4 of 19 .*empty\.png/),
    })
    expect(defects.filter((defect) => defect.isFatal).map((defect) => defect.file)).toEqual(
      ["cat/empty.png", "dog/broken.png", "dog/text.jpg", "dog/tiny.png"].map((file) => join(folder, file)),
    )
  })

  it("names the one bad image when there is one", async () => {
    const folder = await pets()
    const path = join(folder, "cat", "0.png")
    write(path, readFileSync(path).subarray(0, 60))
    await expect(readImageFolder(folder, options)).rejects.toMatchObject({
      code: "BAD_IMAGE",
      details: { where: path },
    })
  })

  it("refuses one class, no class, a class without images and a missing folder", async () => {
    const folder = temporaryFolder()
    await expect(readImageFolder(folder, options)).rejects.toMatchObject({ code: "TOO_FEW_CLASSES" })
    await writeClasses(folder, { cat: 2 })
    await expect(readImageFolder(folder, options)).rejects.toThrow(/"cat" alone/)
    mkdirSync(join(folder, "dog"))
    await expect(readImageFolder(folder, options)).rejects.toMatchObject({
      code: "EMPTY_CLASS",
      details: { where: join(folder, "dog") },
    })
    await expect(readImageFolder(join(folder, "none"), options)).rejects.toThrow(/no such folder/)
    await expect(readImageFolder(join(folder, "cat", "0.png"), options)).rejects.toThrow(/got a file/)
    await expect(readImageFolder(undefined, options)).rejects.toThrow(/images:DIR/)
  })

  it("refuses a test class that cannot be learned and test/ without train/", async () => {
    const folder = temporaryFolder()
    await writeClasses(join(folder, "test"), { cat: 1, cow: 1 })
    await expect(readImageFolder(folder, options)).rejects.toMatchObject({ code: "MISSING_SPLIT" })
    await writeClasses(join(folder, "train"), { cat: 1, dog: 1 })
    await expect(readImageFolder(folder, options)).rejects.toMatchObject({
      code: "UNKNOWN_CLASS",
      details: { where: join(folder, "test", "cow") },
    })
  })

  it("refuses two names that differ only in their encoding", async () => {
    const folder = await pets()
    await writeImage(join(folder, "cat", "\u00e9.png"))
    await writeImage(join(folder, "cat", "e\u0301.png"))
    await expect(readImageFolder(folder, options)).rejects.toMatchObject({ code: "DUPLICATE_ID" })
  })

  it("refuses what would not fit in memory, before decoding anything", async () => {
    const folder = await pets()
    await expect(readImageFolder(folder, { ...options, imageSize: 1e6 })).rejects.toThrow(/Lower imageSize/)
  })

  it("measures the normalisation on the training images", async () => {
    const folder = temporaryFolder()
    for (const [split, colour] of [
      ["train", "#ff0033"],
      ["test", "#00ff00"],
    ] as const) {
      for (const name of ["a", "b"]) await writeImage(join(folder, split, name, "1.png"), 8, 8, colour)
    }
    const { normalization } = await readImageFolder(folder, options)
    expect(normalization.mean).toEqual([1, 0, 0.2])
    expect(normalization.std).toEqual([1, 1, 1])
  })
})
