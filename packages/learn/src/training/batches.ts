import { floatTensor, type Rng, sizeOf, type Tensor } from "@learnloss/engine"
import type { Dataset, SplitName } from "../data/dataset.ts"
import { normalizationTable } from "../data/normalization.ts"
import { type Augmentation, augmentInto, normalizeInto } from "../data/transforms.ts"
import type { Task } from "../tasks/task.ts"
import { imagesInput } from "./learner.ts"

/** Tensors by the names of graph inputs. */
export type Feeds = Readonly<Record<string, Tensor>>

/** Turns samples into the tensors of a batch. */
export interface BatchMaker {
  /** A batch of the samples at these positions, randomly changed as the settings say. */
  training(positions: readonly number[], rng: Rng): Feeds | Promise<Feeds>
  /** A batch of the samples as they are. */
  evaluation(split: SplitName, positions: readonly number[], withTargets: boolean): Feeds | Promise<Feeds>
}

/** Batches of images that are in memory. */
export function createBatchMaker<Target>(
  dataset: Dataset<Target>,
  task: Task<Target>,
  augmentation: Augmentation,
): BatchMaker {
  const { imageShape, train } = dataset
  const { channels, height, width } = imageShape
  const table = normalizationTable(dataset.normalization)
  const allocate = (count: number) => floatTensor([count, channels, height, width])
  const pixels = sizeOf([channels, height, width])
  const targetsOf = (split: SplitName, positions: readonly number[]) =>
    task.encodeTargets(positions.map((position) => dataset[split].targets[position] as Target))
  return {
    training(positions, rng) {
      const images = allocate(positions.length)
      for (const [index, position] of positions.entries()) {
        augmentInto(
          train.image(position),
          imageShape,
          augmentation,
          table,
          rng,
          images.data as Float32Array,
          index * pixels,
        )
      }
      return { [imagesInput]: images, ...targetsOf("train", positions) }
    },
    evaluation(split, positions, withTargets) {
      const images = allocate(positions.length)
      for (const [index, position] of positions.entries()) {
        normalizeInto(dataset[split].image(position), imageShape, table, images.data as Float32Array, index * pixels)
      }
      return { [imagesInput]: images, ...(withTargets ? targetsOf(split, positions) : {}) }
    },
  }
}
