import { readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { createRng } from "@learnloss/engine"
import { describe, expect, it } from "vitest"
import { temporaryFolder, write, writeFashionMnist, writeIdx } from "./data-files.test-suite.ts"
import { describeReader } from "./dataset.test-suite.ts"
import { readFashionMnist } from "./fashion-mnist.ts"

const options = { imageSize: 32, rng: createRng(0) }

function tinyFashionMnist(suffix = ".gz"): string {
  const folder = temporaryFolder()
  writeFashionMnist(folder, suffix)
  return folder
}

describeReader("fashion-mnist", (given) => readFashionMnist(tinyFashionMnist(), given))

describe("readFashionMnist", () => {
  it.each(["", ".gz"])("reads files ending in %j", async (suffix) => {
    const { train, test, imageShape } = await readFashionMnist(tinyFashionMnist(suffix), options)
    expect(imageShape).toEqual({ channels: 1, height: 3, width: 4 })
    expect(train.ids[19]).toBe("train/00019")
    expect(test.targets).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect([...train.image(1)]).toEqual([12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23])
  })

  it("is found in the first place that has it", async () => {
    const [first, second] = [temporaryFolder(), temporaryFolder()]
    writeFashionMnist(join(second, "fashion-mnist"))
    const read = await readFashionMnist(undefined, { ...options, places: [first, second] })
    expect(read.name).toBe("fashion-mnist")
  })

  it("says how to fetch it when no place has it", async () => {
    const place = temporaryFolder()
    await expect(readFashionMnist(undefined, { ...options, places: [place] })).rejects.toMatchObject({
      code: "DATA_NOT_FOUND",
      message: expect.stringContaining("learnloss data fetch fashion-mnist"),
    })
  })

  it("names the file that is missing", async () => {
    const folder = tinyFashionMnist()
    rmSync(join(folder, "t10k-labels-idx1-ubyte.gz"))
    await expect(readFashionMnist(folder, options)).rejects.toThrow(/t10k-labels-idx1-ubyte: .*no such file/)
  })

  it("refuses exchanged files by their magic number", async () => {
    const folder = tinyFashionMnist("")
    const labels = readFileSync(join(folder, "train-labels-idx1-ubyte"))
    write(join(folder, "train-images-idx3-ubyte"), labels)
    await expect(readFashionMnist(folder, options)).rejects.toMatchObject({ code: "WRONG_MAGIC" })
  })

  it.each([0, 3, 9, 100])("refuses a file cut off after %d bytes", async (length) => {
    const folder = tinyFashionMnist("")
    const path = join(folder, "train-images-idx3-ubyte")
    write(path, readFileSync(path).subarray(0, length))
    await expect(readFashionMnist(folder, options)).rejects.toMatchObject({
      code: expect.stringMatching(/WRONG_MAGIC|TRUNCATED_FILE/),
      details: { where: path },
    })
  })

  it("refuses damaged gzip", async () => {
    const folder = tinyFashionMnist()
    const path = join(folder, "train-images-idx3-ubyte.gz")
    write(path, readFileSync(path).subarray(0, 60))
    await expect(readFashionMnist(folder, options)).rejects.toMatchObject({
      code: "BAD_GZIP",
      details: { where: path },
    })
  })

  it("refuses a label above 9", async () => {
    const folder = tinyFashionMnist("")
    writeIdx(join(folder, "t10k-labels-idx1-ubyte"), [10], Uint8Array.from([0, 1, 2, 11, 4, 5, 6, 7, 8, 9]))
    await expect(readFashionMnist(folder, options)).rejects.toThrow(/label 3: .*0\.\.9, got 11/)
  })

  it("refuses another number of labels than images", async () => {
    const folder = tinyFashionMnist("")
    writeIdx(join(folder, "train-labels-idx1-ubyte"), [3], Uint8Array.from([0, 1, 2]))
    await expect(readFashionMnist(folder, options)).rejects.toMatchObject({ code: "COUNT_MISMATCH" })
  })

  it("refuses images of one pixel and no images at all", async () => {
    for (const dimensions of [
      [20, 1, 1],
      [0, 28, 28],
    ]) {
      const folder = tinyFashionMnist("")
      writeIdx(join(folder, "train-images-idx3-ubyte"), dimensions, new Uint8Array(dimensions.reduce((a, b) => a * b)))
      await expect(readFashionMnist(folder, options)).rejects.toMatchObject({ code: "EMPTY_IMAGES" })
    }
  })

  it("refuses test images of another size", async () => {
    const folder = tinyFashionMnist("")
    writeIdx(join(folder, "t10k-images-idx3-ubyte"), [10, 2, 2], new Uint8Array(40))
    await expect(readFashionMnist(folder, options)).rejects.toMatchObject({ code: "SHAPE_MISMATCH" })
  })
})
