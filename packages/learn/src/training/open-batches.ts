import type { RunConfig } from "@learnloss/contract"
import type { Device } from "@learnloss/engine"
import { type AnyDataset, isPictures } from "../data/dataset.ts"
import type { PictureTask } from "../data/pictures/pipelines.ts"
import type { Augmentation } from "../data/transforms.ts"
import type { Model } from "../models/model.ts"
import { type BatchMaker, createBatchMaker } from "./batches.ts"
import { createFrozenBatches, frozenCacheNotice } from "./frozen-batches.ts"
import type { Learner } from "./learner.ts"
import { createPictureBatches } from "./picture-batches.ts"

/** Settings of how training images are changed. */
type Changes = RunConfig["augment"]

export interface OpenBatchesOptions {
  readonly learner: Learner
  readonly dataset: AnyDataset
  /** How training images are changed; null leaves them as they are. */
  readonly augmentation: Changes | null
  readonly threads: number
  readonly device: Device
}

/** Batches of images, or of what the frozen part of the network makes of them. */
export async function openBatches({
  learner,
  dataset,
  augmentation,
  threads,
  device,
}: OpenBatchesOptions): Promise<{ batches: BatchMaker; release: () => Promise<void> }> {
  const { model, task } = learner
  if (isPictures(dataset)) {
    const batches = createPictureBatches({ pictureTask: task.name as PictureTask, dataset, task, augmentation })
    return { batches, release: () => batches.release() }
  }
  const images = createBatchMaker(dataset, task, augmentation ?? unchanged)
  const { frozen } = model
  if (frozen === undefined) return { batches: images, release: async () => {} }
  const isAugmented = changesImages(augmentation ?? unchanged)
  const batches = await createFrozenBatches({ frozen, dataset, task, images, isAugmented, threads, device })
  return { batches, release: () => batches.release() }
}

/** Tells where the outputs of a network's frozen part are kept, where they may become large. */
export function cacheNotice({ frozen }: Model, dataset: AnyDataset, augmentation: Augmentation): string | undefined {
  return frozen === undefined || isPictures(dataset)
    ? undefined
    : frozenCacheNotice({ frozen, dataset, isAugmented: changesImages(augmentation) })
}

const unchanged: Augmentation = { crop: 0, flip: false }

function changesImages({ crop, flip }: Augmentation): boolean {
  return crop > 0 || flip
}
