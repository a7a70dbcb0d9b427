import { join, relative } from "node:path"
import { createRng } from "@learnloss/engine"
import sharp from "sharp"
import { describe, expect, it } from "vitest"
import { temporaryFolder, write, writeImage } from "../data-files.test-suite.ts"
import type { DataDefect } from "../reader.ts"
import { vocObject, writeVocImage, writeVocSplit } from "./annotation-files.test-suite.ts"
import { readDetectionDataset } from "./detection-dataset.ts"
import { summarizeAnnotations } from "./summarize-set.ts"

const noiseOf = { type: "gaussian", mean: 128, sigma: 40 } as const
const options = { imageSize: 128, rng: createRng(0) }

async function animals(count: number): Promise<string> {
  const folder = temporaryFolder()
  for (let index = 0; index < count; index++) {
    await writeVocImage(folder, `${index}`, vocObject("dog", [1, 2, 11, 12]) + vocObject("cat", [0, 0, 40, 30]))
  }
  return folder
}

describe("readDetectionDataset", () => {
  it("gives paths and boxes of the splits that say what they are for", async () => {
    const folder = await animals(4)
    writeVocSplit(folder, "train", "0", "1")
    writeVocSplit(folder, "trainval", "0", "1", "2")
    writeVocSplit(folder, "val", "2")
    writeVocSplit(folder, "test", "3")
    const { train, test, classNames, imageShape } = await readDetectionDataset("voc", folder, options)
    expect(classNames).toEqual(["cat", "dog"])
    expect(imageShape).toEqual({ channels: 3, height: 128, width: 128 })
    expect(train.ids).toEqual(["0", "1", "2"].map((stem) => `JPEGImages/${stem}.jpg`))
    expect(test.ids).toEqual(["JPEGImages/3.jpg"])
    expect(test.picture(0)).toBe(join(folder, "JPEGImages/3.jpg"))
    expect(() => test.picture(1)).toThrow(RangeError)
    expect(test.targets[0]).toEqual({
      width: 40,
      height: 30,
      boxes: [
        { classIndex: 1, box: [1, 2, 11, 12], isDifficult: false },
        { classIndex: 0, box: [0, 0, 40, 30], isDifficult: false },
      ],
    })
    const named = await readDetectionDataset("voc", `${folder}?train=train&test=val+test&classes=dog`, options)
    expect(named.test.ids.length).toBe(2)
    expect(named.train.targets[0]?.boxes).toEqual([{ classIndex: 0, box: [1, 2, 11, 12], isDifficult: false }])
  })

  it("draws a fifth for testing when there is no split for it, by the seed", async () => {
    const folder = await animals(10)
    const first = await readDetectionDataset("voc", folder, options)
    expect([first.train.ids.length, first.test.ids.length]).toEqual([8, 2])
    expect((await readDetectionDataset("voc", folder, options)).test.ids).toEqual(first.test.ids)
    expect(new Set([...first.train.ids, ...first.test.ids]).size).toBe(10)
    const others = [1, 2, 3, 4].map((seed) => readDetectionDataset("voc", folder, { ...options, rng: createRng(seed) }))
    expect(new Set((await Promise.all(others)).map(({ test }) => test.ids.join())).size).toBeGreaterThan(1)
  })

  it("leaves out what is defective and tells all of it, or stops and names the first", async () => {
    const folder = await animals(5)
    await writeVocImage(
      folder,
      "0",
      vocObject("dog", [4, 4, 4, 9]) + vocObject("dog", [9, 9, 60, 20]) + vocObject("dog", [50, 1, 60, 9]),
    )
    write(join(folder, "Annotations", "1.xml"), "<annotation>")
    write(join(folder, "JPEGImages", "2.jpg"), "")
    writeVocSplit(folder, "train", "0", "1", "2")
    writeVocSplit(folder, "test", "3", "4")
    const defects: DataDefect[] = []
    const { train } = await readDetectionDataset("voc", folder, {
      ...options,
      onDefect: (defect) => defects.push(defect),
    })
    expect(train.ids).toEqual(["JPEGImages/0.jpg"])
    expect(train.targets[0]?.boxes).toEqual([{ classIndex: 1, box: [9, 9, 40, 20], isDifficult: false }])
    expect(defects.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/no well-formed XML.*image left out/),
      "an empty file: image left out",
      "object 1 (dog): zero area [4, 4, 4, 9]: box left out",
      "object 2 (dog): box [9, 9, 60, 20] sticks out of the image of 40x30: clipped to the image",
      "object 3 (dog): box [50, 1, 60, 9] outside the image of 40x30: box left out",
    ])
    await expect(readDetectionDataset("voc", folder, { ...options, defects: "stop" })).rejects.toMatchObject({
      code: "DEFECTIVE_DATA",
      message: expect.stringMatching(/got 5: .*1\.xml.*`skip`/),
    })
    expect((await readDetectionDataset("voc", `${folder}?train=test&test=train`, { ...options })).test.ids.length).toBe(
      1,
    )
  })

  it("finds cut-off images where they are decoded, and leaves them out or stops", async () => {
    const folder = await animals(3)
    const noise = { create: { width: 40, height: 30, channels: 3, background: "white", noise: noiseOf } } as const
    const jpeg = await sharp(noise).jpeg().toBuffer()
    write(join(folder, "JPEGImages", "1.jpg"), jpeg.subarray(0, Math.floor(0.8 * jpeg.length)))
    writeVocSplit(folder, "train", "0", "1")
    writeVocSplit(folder, "test", "2")
    expect((await readDetectionDataset("voc", folder, { ...options, defects: "stop" })).train.ids.length).toBe(2)
    const told: string[] = []
    const progress: number[] = []
    const read = (defects: "skip" | "stop", signal?: AbortSignal) =>
      readDetectionDataset("voc", folder, {
        ...options,
        decodes: true,
        defects,
        signal,
        onDefect: ({ file, reason }) => told.push(`${relative(folder, file)}: ${reason}`),
        onProgress: (done, total) => progress.push(done / total),
      })
    expect((await read("skip")).train.ids).toEqual(["JPEGImages/0.jpg"])
    expect(told).toEqual([
      expect.stringMatching(/^JPEGImages\/1\.jpg: damaged: (?!.*unknown error).+: image left out$/),
    ])
    expect(progress).toEqual([1 / 3, 2 / 3, 1])
    await expect(read("stop")).rejects.toMatchObject({
      code: "DEFECTIVE_DATA",
      message: expect.stringMatching(/got 1: .*1\.jpg \(damaged: /),
    })
    await expect(read("skip", AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" })
  })

  it("keeps crowds, marked as such, and takes them for no defect", async () => {
    const folder = temporaryFolder()
    await writeImage(join(folder, "a.png"), 40, 30)
    await writeImage(join(folder, "b.png"), 40, 30)
    const annotation = { image_id: 1, category_id: 1, bbox: [1, 2, 10, 10] }
    const json = {
      images: [1, 2].map((id) => ({ id, file_name: `${id === 1 ? "a" : "b"}.png`, width: 40, height: 30 })),
      annotations: [
        { ...annotation, id: 1, iscrowd: 1 },
        { ...annotation, id: 2, iscrowd: 0 },
      ],
      categories: [{ id: 1, name: "dog" }],
    }
    write(join(folder, "all.json"), JSON.stringify(json))
    const told: string[] = []
    const { train, test } = await readDetectionDataset("coco", join(folder, "all.json"), {
      ...options,
      defects: "stop",
      onDefect: ({ reason }) => told.push(reason),
    })
    expect(told).toEqual(["annotations[0] (dog): a crowd, which is not trained on"])
    const marked = { classIndex: 0, box: [1, 2, 11, 12], isDifficult: false }
    const targets = [...train.targets, ...test.targets].map(({ boxes }) => boxes)
    expect(targets).toContainEqual([{ ...marked, isCrowd: true }, marked])
    const { splits } = await summarizeAnnotations("coco", join(folder, "all.json"), { rng: createRng(0) })
    expect(splits).toMatchObject([{ images: 2, imagesWithoutBoxes: 1, boxes: [1] }])
  })

  it("refuses unknown splits, options and classes, and splits that share images", async () => {
    const folder = await animals(2)
    writeVocSplit(folder, "train", "0", "1")
    writeVocSplit(folder, "test", "1")
    const read = (text?: string) => readDetectionDataset("voc", text, options)
    await expect(read(`${folder}?train=trian`)).rejects.toThrow(/Did you mean train\?/)
    await expect(read(`${folder}?tain=train`)).rejects.toMatchObject({ code: "UNKNOWN_OPTION" })
    await expect(read(`${folder}?origin=two`)).rejects.toThrow(/origin=as-is or origin=one/)
    await expect(read(`${folder}?classes=cow`)).rejects.toMatchObject({ code: "UNKNOWN_CLASS" })
    await expect(read(`${folder}?train=train&test=test`)).rejects.toMatchObject({ code: "OVERLAPPING_SPLITS" })
    await expect(read(`${folder}?train=`)).rejects.toMatchObject({ code: "BAD_OPTION" })
    await expect(read(undefined)).rejects.toMatchObject({ code: "MISSING_PATH" })
  })
})
