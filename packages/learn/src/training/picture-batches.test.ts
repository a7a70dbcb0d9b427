import { createRng, floatTensor, type Tensor } from "@learnloss/engine"
import { describe, expect, onTestFinished, test } from "vitest"
import type { DetectionTarget } from "../data/boxes.ts"
import type { DetectionDataset, Picture, PictureSet } from "../data/dataset.ts"
import type { SsdAugmentation } from "../data/pictures/ssd-augmentation.ts"
import { createPictureBatches } from "./picture-batches.ts"

const all: SsdAugmentation = { photometric: true, expand: true, iouCrop: true, flip: true }

/** Tells which boxes came, for one object a picture. */
const task = {
  encodeTargets: (targets: readonly DetectionTarget[]) => ({
    boxes: floatTensor(
      [targets.length, 4],
      Float32Array.from(targets.flatMap(({ boxes }) => [...(boxes[0]?.box ?? [])])),
    ),
  }),
}

/** Pictures of noise, each of its own size. */
function pictureSet(split: string, count: number): PictureSet<DetectionTarget> {
  const pictures = Array.from({ length: count }, (_, index): Picture => {
    const rng = createRng(`${split}/${index}`)
    const [width, height] = [40 + index, 30 + 2 * index]
    return { width, height, pixels: Uint8Array.from({ length: width * height * 3 }, () => rng.integer(256)) }
  })
  return {
    ids: pictures.map((_, index) => `${split}/${index}`),
    targets: pictures.map(({ width, height }) => ({
      width,
      height,
      boxes: [{ classIndex: 0, box: [0, 0, width / 2, height / 2], isDifficult: false }],
    })),
    picture: (position) => pictures[position] as Picture,
  }
}

function createData(): DetectionDataset {
  return {
    name: "noise",
    imageShape: { channels: 3, height: 16, width: 16 },
    classNames: ["noise"],
    normalization: { mean: [0, 0, 0], std: [1, 1, 1] },
    train: pictureSet("train", 6),
    test: pictureSet("test", 4),
  }
}

function open(dataset: DetectionDataset, augmentation: SsdAugmentation | null, threads = 2) {
  const batches = createPictureBatches({ pictureTask: "detection", dataset, task, augmentation, threads })
  onTestFinished(() => batches.release())
  return batches
}

/** One sample of a tensor. */
function row(tensor: Tensor | undefined, index: number): Float32Array {
  const { data, shape } = tensor as Tensor
  const length = data.length / (shape[0] as number)
  return (data as Float32Array).slice(index * length, (index + 1) * length)
}

describe("batches of pictures", () => {
  test("are changed by their own stream alone: the same for any number of threads and in any order", async () => {
    const batches = open(createData(), all)
    const step = (number: number) => createRng(0).child(`augment/${number}`)
    const second = await batches.training([4, 1, 1, 3], step(2))
    const first = await batches.training([0, 5, 2, 3], step(1))
    const again = open(createData(), all, 3)
    expect(await Promise.all([again.training([0, 5, 2, 3], step(1)), again.training([4, 1, 1, 3], step(2))])).toEqual([
      first,
      second,
    ])
    expect(first.images!.shape).toEqual([4, 3, 16, 16])
    expect(first.boxes!.shape).toEqual([4, 4])
    // A picture that stands in a batch twice is changed in two ways.
    expect(row(second.images, 1)).not.toEqual(row(second.images, 2))
  })

  test("are left as they are for evaluation, and for training without changes", async () => {
    const batches = open(createData(), all)
    const plain = open(createData(), null)
    const evaluated = await batches.evaluation("train", [3, 0], true)
    expect(await plain.training([3, 0], createRng(7))).toEqual(evaluated)
    // Half of the picture in both directions.
    expect([...(evaluated.boxes!.data as Float32Array)]).toEqual([0, 0, 8, 8, 0, 0, 8, 8])
    const test = await batches.evaluation("test", [3, 0], false)
    expect(Object.keys(test)).toEqual(["images"])
    expect(test.images).not.toEqual(evaluated.images)
  })

  test("of the same data share their threads until the last of them is released", async () => {
    const data = createData()
    const [one, other] = [open(data, all), open(data, null)]
    await one.training([0], createRng(0))
    await one.release()
    await one.release()
    expect((await other.training([0], createRng(0))).images!.shape).toEqual([1, 3, 16, 16])
    await other.release()
    expect((await open(data, null).training([0], createRng(0))).images!.shape).toEqual([1, 3, 16, 16])
  })
})
