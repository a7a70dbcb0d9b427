import { existsSync } from "node:fs"
import { join } from "node:path"
import { LearnlossError } from "@learnloss/engine"
import { requireDataset } from "./data-folder.ts"
import type { ClassificationDataset, ImageShape, SampleSet } from "./dataset.ts"
import { readIdx } from "./idx.ts"
import type { ReadOptions } from "./reader.ts"
import { requireUniqueIds, sampleSet } from "./sample-set.ts"

const classNames = [
  "T-shirt/top",
  "trouser",
  "pullover",
  "dress",
  "coat",
  "sandal",
  "shirt",
  "sneaker",
  "bag",
  "ankle boot",
] as const

/** The four files of Fashion-MNIST without `.gz`, which they may or may not carry. */
export const fashionMnistFiles = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
] as const

/**
 * Reads Fashion-MNIST's IDX files from a folder, or from where `learnloss data fetch` or Debian's package puts them.
 *
 * @throws LearnlossError for missing, damaged or contradicting files and labels above 9.
 */
export async function readFashionMnist(path: string | undefined, options: ReadOptions): Promise<ClassificationDataset> {
  const folder = path ?? requireDataset("fashion-mnist", fashionMnistFiles, options.places)
  const train = await readSplit(folder, "train", "train")
  options.onProgress?.(1, 2)
  options.signal?.throwIfAborted()
  const test = await readSplit(folder, "t10k", "test")
  options.onProgress?.(2, 2)
  const { height, width } = train.shape
  if (test.shape.height !== height || test.shape.width !== width) {
    throw new LearnlossError("SHAPE_MISMATCH", {
      where: folder,
      expected: `test images of ${width}x${height} pixels like the training images`,
      got: `${test.shape.width}x${test.shape.height}`,
      fix: "The files come from different data sets: fetch all four again.",
    })
  }
  requireUniqueIds(folder, train.samples, test.samples)
  return {
    name: path === undefined ? "fashion-mnist" : `fashion-mnist:${path}`,
    imageShape: train.shape,
    classNames,
    normalization: { mean: [0.286], std: [0.353] },
    train: train.samples,
    test: test.samples,
  }
}

interface Split {
  readonly shape: ImageShape
  readonly samples: SampleSet<number>
}

async function readSplit(folder: string, prefix: string, split: string): Promise<Split> {
  const imagePath = chooseFile(folder, `${prefix}-images-idx3-ubyte`)
  const labelPath = chooseFile(folder, `${prefix}-labels-idx1-ubyte`)
  const [images, labels] = await Promise.all([readIdx(imagePath, 3), readIdx(labelPath, 1)])
  const [count = 0, height = 0, width = 0] = images.dimensions
  if (count === 0 || height < 2 || width < 2) {
    throw new LearnlossError("EMPTY_IMAGES", {
      where: imagePath,
      expected: "at least one image of at least 2x2 pixels",
      got: `${count} images of ${width}x${height}`,
      fix: "This is not Fashion-MNIST: fetch it again.",
    })
  }
  const wrong = labels.bytes.findIndex((label) => label >= classNames.length)
  if (wrong >= 0) {
    throw new LearnlossError("LABEL_OUT_OF_RANGE", {
      where: `${labelPath}, label ${wrong}`,
      expected: `a label in 0..${classNames.length - 1}`,
      got: String(labels.bytes[wrong]),
      fix: "The file is damaged or belongs to another data set: fetch it again.",
    })
  }
  if (labels.bytes.length !== count) {
    throw new LearnlossError("COUNT_MISMATCH", {
      where: labelPath,
      expected: `one label for each of the ${count} images of ${imagePath}`,
      got: `${labels.bytes.length} labels`,
      fix: "Images and labels come from different versions: fetch both again.",
    })
  }
  const pixels = height * width
  const positions = Array.from({ length: count }, (_, position) => position)
  return {
    shape: { channels: 1, height, width },
    samples: sampleSet(
      folder,
      positions.map((position) => `${split}/${String(position).padStart(5, "0")}`),
      Array.from(labels.bytes),
      positions.map((position) => images.bytes.subarray(position * pixels, (position + 1) * pixels)),
    ),
  }
}

function chooseFile(folder: string, name: string): string {
  const plain = join(folder, name)
  return existsSync(plain) || !existsSync(`${plain}.gz`) ? plain : `${plain}.gz`
}
