import type { Device } from "@learnloss/engine"
import type { Dataset } from "../data/dataset.ts"
import type { Augmentation } from "../data/transforms.ts"
import type { Model } from "../models/model.ts"
import { type BatchMaker, createBatchMaker } from "./batches.ts"
import { createFrozenBatches, frozenCacheNotice } from "./frozen-batches.ts"
import type { Learner } from "./learner.ts"

export interface OpenBatchesOptions<Target> {
  readonly learner: Learner
  readonly dataset: Dataset<Target>
  readonly augmentation: Augmentation
  readonly threads: number
  readonly device: Device
}

/** Batches of images, or of what the frozen part of the network makes of them. */
export async function openBatches<Target>({
  learner,
  dataset,
  augmentation,
  threads,
  device,
}: OpenBatchesOptions<Target>): Promise<{ batches: BatchMaker<Target>; release: () => Promise<void> }> {
  const { model, task } = learner
  const images = createBatchMaker<Target>(dataset, task, augmentation)
  const { frozen } = model
  if (frozen === undefined) return { batches: images, release: async () => {} }
  const isAugmented = changesImages(augmentation)
  const batches = await createFrozenBatches<Target>({ frozen, dataset, task, images, isAugmented, threads, device })
  return { batches, release: () => batches.release() }
}

/** Tells where the outputs of a network's frozen part are kept, where they may become large. */
export function cacheNotice(
  { frozen }: Model,
  dataset: Dataset<unknown>,
  augmentation: Augmentation,
): string | undefined {
  return frozen === undefined
    ? undefined
    : frozenCacheNotice({ frozen, dataset, isAugmented: changesImages(augmentation) })
}

function changesImages({ crop, flip }: Augmentation): boolean {
  return crop > 0 || flip
}
