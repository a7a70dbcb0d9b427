import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { LearnlossError } from "@learnloss/engine"
import { requireDataset } from "./data-folder.ts"
import type { ClassificationDataset, SampleSet } from "./dataset.ts"
import { readBytes } from "./read-bytes.ts"
import type { ReadOptions } from "./reader.ts"
import { requireUniqueIds, sampleSet } from "./sample-set.ts"

const imageBytes = 3 * 32 * 32
const recordBytes = 1 + imageBytes
const classCount = 10
const defaultClassNames = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
] as const

/**
 * Reads CIFAR-10's binary version: records of one label byte and the planes [3, 32, 32], in whatever
 * `data_batch_*.bin` the folder holds for training and `test_batch.bin`.
 *
 * @throws LearnlossError for missing, truncated or empty files, labels above 9 and a wrong list of class names.
 */
export async function readCifar10(path: string | undefined, options: ReadOptions): Promise<ClassificationDataset> {
  const folder = path ?? requireDataset("cifar10", ["data_batch_1.bin", "test_batch.bin"], options.places)
  const names = await listBatches(folder)
  const batches: SampleSet<number>[] = []
  for (const [index, name] of names.entries()) {
    options.signal?.throwIfAborted()
    batches.push(await readBatch(folder, name))
    options.onProgress?.(index + 1, names.length + 1)
  }
  const train = concatenate(batches)
  const test = await readBatch(folder, "test_batch.bin")
  options.onProgress?.(names.length + 1, names.length + 1)
  requireUniqueIds(folder, train, test)
  return {
    name: path === undefined ? "cifar10" : `cifar10:${path}`,
    imageShape: { channels: 3, height: 32, width: 32 },
    classNames: await readClassNames(folder),
    normalization: { mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] },
    train,
    test,
  }
}

async function listBatches(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new LearnlossError("FOLDER_NOT_READ", {
      where: folder,
      expected: "a folder with data_batch_*.bin and test_batch.bin",
      got: error.code === "ENOENT" ? "no such folder" : error.message,
      fix: "Check the path after `cifar10:`.",
      cause: error,
    })
  })
  const batches = names.filter((name) => /^data_batch_\w+\.bin$/.test(name)).sort()
  if (batches.length > 0) return batches
  throw new LearnlossError("FILE_NOT_READ", {
    where: folder,
    expected: "at least one data_batch_*.bin",
    got: names.includes("data_batch_1") ? "the Python version of CIFAR-10" : "none",
    fix: "Unpack the binary version of CIFAR-10 here, or run `learnloss data fetch cifar10`.",
  })
}

async function readBatch(folder: string, name: string): Promise<SampleSet<number>> {
  const path = join(folder, name)
  const bytes = await readBytes(path)
  const count = bytes.length / recordBytes
  if (count === 0 || !Number.isInteger(count)) {
    throw new LearnlossError("TRUNCATED_FILE", {
      where: path,
      expected: `whole records of ${recordBytes} bytes (a label and 32x32 RGB pixels)`,
      got:
        count === 0 ? "an empty file" : `${bytes.length} bytes, ${bytes.length % recordBytes} more than whole records`,
      fix: "The file is damaged or not CIFAR-10's binary version: fetch it again.",
    })
  }
  const ids: string[] = []
  const targets: number[] = []
  const images: Uint8Array[] = []
  const stem = name.replace(/\.bin$/, "")
  for (let record = 0; record < count; record++) {
    const start = record * recordBytes
    const label = bytes[start] as number
    if (label >= classCount) {
      throw new LearnlossError("LABEL_OUT_OF_RANGE", {
        where: `${path}, record ${record}`,
        expected: `a label in 0..${classCount - 1}`,
        got: String(label),
        fix: "The file is damaged or not CIFAR-10's binary version (CIFAR-100 has two label bytes).",
      })
    }
    ids.push(`${stem}/${String(record).padStart(5, "0")}`)
    targets.push(label)
    images.push(bytes.subarray(start + 1, start + recordBytes))
  }
  return sampleSet(path, ids, targets, images)
}

function concatenate(batches: readonly SampleSet<number>[]): SampleSet<number> {
  return sampleSet(
    "data_batch_*.bin",
    batches.flatMap((batch) => batch.ids),
    batches.flatMap((batch) => batch.targets),
    batches.flatMap((batch) => batch.ids.map((_, position) => batch.image(position))),
  )
}

async function readClassNames(folder: string): Promise<readonly string[]> {
  const path = join(folder, "batches.meta.txt")
  const text = await readFile(path, "utf8").catch(() => undefined)
  if (text === undefined) return defaultClassNames
  const names = text.split(/\r?\n/).map((line) => line.trim())
  const given = names.filter((name) => name !== "")
  if (given.length === classCount && new Set(given).size === classCount) return given
  throw new LearnlossError("BAD_CLASS_NAMES", {
    where: path,
    expected: `${classCount} different class names, one a line`,
    got: `${given.length} lines, ${new Set(given).size} different`,
    fix: "Restore the file from the archive, or delete it to use the standard names.",
  })
}
