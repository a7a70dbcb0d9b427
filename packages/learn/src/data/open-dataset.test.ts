import { join } from "node:path"
import { createRng } from "@learnloss/engine"
import { describe, expect, it } from "vitest"
import { temporaryFolder, write, writeClasses } from "./data-files.test-suite.ts"
import { openDataset, parseDataSpec } from "./open-dataset.ts"

const options = { imageSize: 16, rng: createRng(0) }

describe("parseDataSpec", () => {
  it.each([
    ["shapes", "shapes", undefined],
    ["images:a/b c", "images", "a/b c"],
    ["cifar10:C:\\data", "cifar10", "C:\\data"],
  ])("takes %j apart", (spec, format, path) => {
    expect(parseDataSpec(spec)).toEqual({ format, path })
  })

  it.each([
    ["cifar:x/y", /Did you mean cifar10:x\/y\?/],
    ["Fashion_MNIST", /Did you mean fashion-mnist\?/],
    ["webdataset", /cifar10, fashion-mnist, images, shapes.*learnloss data list/],
    ["", /UNKNOWN|got ""/],
  ])("refuses %j with the near miss or the known names", (spec, message) => {
    expect(() => parseDataSpec(spec)).toThrow(message)
  })

  it("says what to write when only a folder of annotated images is given", () => {
    for (const [format, file] of [
      ["voc", "JPEGImages/a.jpg"],
      ["coco", "annotations/instances_train.json"],
      ["yolo", "data.yaml"],
    ] as const) {
      const folder = temporaryFolder()
      write(join(folder, file), "")
      expect(() => parseDataSpec(folder)).toThrow(`${format}:${folder}`)
    }
  })

  it("says what to write when only a folder is given", () => {
    expect(() => parseDataSpec(import.meta.dirname)).toThrow(`images:${import.meta.dirname}`)
  })

  it("refuses a colon without a path", () => {
    expect(() => parseDataSpec("images:")).toThrow(/nothing after the colon/)
  })
})

describe("openDataset", () => {
  it("opens what the format says", async () => {
    const dataset = await openDataset("shapes:20,10", options)
    expect([dataset.name, dataset.train.ids.length]).toEqual(["shapes:20,10", 20])
  })

  it("refuses a folder too small to give test images", async () => {
    const folder = join(temporaryFolder(), "few")
    await writeClasses(folder, { cat: 1, dog: 1 })
    await expect(openDataset(`images:${folder}`, options)).rejects.toMatchObject({ code: "EMPTY_SPLIT" })
  })
})
