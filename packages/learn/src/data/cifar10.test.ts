import { existsSync } from "node:fs"
import { join } from "node:path"
import { createRng } from "@learnloss/engine"
import { describe, expect, it } from "vitest"
import { readCifar10 } from "./cifar10.ts"
import { temporaryFolder, write, writeCifar10, writeCifarBatch } from "./data-files.test-suite.ts"
import { describeReader } from "./dataset.test-suite.ts"

const options = { imageSize: 32, rng: createRng(0) }

function tinyCifar10(): string {
  const folder = temporaryFolder()
  writeCifar10(folder)
  return folder
}

describeReader("cifar10", (given) => readCifar10(tinyCifar10(), given))

describe("readCifar10", () => {
  it("joins the batches that exist, in order, with ids that name file and record", async () => {
    const { train, test } = await readCifar10(tinyCifar10(), options)
    expect(train.targets).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0])
    expect(train.ids[0]).toBe("data_batch_1/00000")
    expect(train.ids[5]).toBe("data_batch_2/00000")
    expect(test.ids).toEqual(["test_batch/00000", "test_batch/00001", "test_batch/00002"])
    expect(train.image(6)[0]).toBe(1)
    expect(train.image(6)[3071]).toBe(201)
  })

  it("takes class names from batches.meta.txt, also with Windows line ends and blank lines", async () => {
    const folder = tinyCifar10()
    const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]
    write(join(folder, "batches.meta.txt"), `${names.join("\r\n")}\r\n\r\n`)
    expect((await readCifar10(folder, options)).classNames).toEqual(names)
  })

  it("refuses a list of class names that is too short", async () => {
    const folder = tinyCifar10()
    write(join(folder, "batches.meta.txt"), "cat\ndog\n")
    await expect(readCifar10(folder, options)).rejects.toMatchObject({ code: "BAD_CLASS_NAMES" })
  })

  it("refuses a cut-off file, naming it", async () => {
    const folder = tinyCifar10()
    write(join(folder, "data_batch_2.bin"), Buffer.alloc(3073 * 2 + 5))
    await expect(readCifar10(folder, options)).rejects.toMatchObject({
      code: "TRUNCATED_FILE",
      details: { where: join(folder, "data_batch_2.bin") },
    })
  })

  it("refuses an empty file", async () => {
    const folder = tinyCifar10()
    write(join(folder, "test_batch.bin"), "")
    await expect(readCifar10(folder, options)).rejects.toThrow(/test_batch.bin: expected whole records.*an empty file/)
  })

  it("refuses a label above 9, naming the record", async () => {
    const folder = tinyCifar10()
    writeCifarBatch(join(folder, "test_batch.bin"), [3, 10])
    await expect(readCifar10(folder, options)).rejects.toThrow(/test_batch.bin, record 1: .*0\.\.9, got 10/)
  })

  it("refuses a missing folder, one without training batches and one without a test batch", async () => {
    const folder = temporaryFolder()
    await expect(readCifar10(join(folder, "none"), options)).rejects.toMatchObject({ code: "FOLDER_NOT_READ" })
    await expect(readCifar10(folder, options)).rejects.toThrow(/at least one data_batch_/)
    writeCifarBatch(join(folder, "data_batch_1.bin"), [1])
    await expect(readCifar10(folder, options)).rejects.toThrow(/test_batch.bin: .*no such file/)
  })

  it("finds fetched files without a path, and says how to fetch them otherwise", async () => {
    const place = temporaryFolder()
    await expect(readCifar10(undefined, { ...options, places: [place] })).rejects.toThrow(
      /learnloss data fetch cifar10/,
    )
    writeCifar10(join(place, "cifar10"))
    expect((await readCifar10(undefined, { ...options, places: [place] })).name).toBe("cifar10")
  })

  const subset = join(import.meta.dirname, "../../../../../shared/data/cifar10-subset")
  it.skipIf(!existsSync(subset))("reads the shared subset (skipped where ../shared/data is absent)", async () => {
    const { train, test, classNames } = await readCifar10(subset, options)
    expect(train.ids.length).toBe(10_000)
    expect(test.ids.length).toBe(2_000)
    expect(classNames[9]).toBe("truck")
    expect(train.targets.slice(0, 2)).toEqual([0, 9])
    const perClass = new Map<number, number>()
    for (const target of train.targets) perClass.set(target, (perClass.get(target) ?? 0) + 1)
    expect([...perClass.values()]).toEqual(Array(10).fill(1_000))
  })
})
