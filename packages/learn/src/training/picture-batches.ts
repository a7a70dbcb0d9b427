import { floatTensor, type Rng, type Tensor } from "@learnloss/engine"
import type { PictureDataset, SplitName } from "../data/dataset.ts"
import { PictureWorkers } from "../data/pictures/picture-workers.ts"
import type { AugmentationOf, PictureTask, TargetOf } from "../data/pictures/pipelines.ts"
import type { Task } from "../tasks/task.ts"
import type { BatchMaker, Feeds } from "./batches.ts"
import { imagesInput } from "./learner.ts"

export interface PictureBatchesOptions<T extends PictureTask> {
  readonly pictureTask: T
  readonly dataset: PictureDataset<TargetOf<T>>
  readonly task: Pick<Task<TargetOf<T>>, "encodeTargets">
  /** Random changes of training pictures; null leaves them as they are. */
  readonly augmentation: AugmentationOf<T> | null
  /** Threads that prepare pictures, where the data have none yet. */
  readonly threads?: number
}

/** Batches of pictures; must be released. */
export interface PictureBatches extends BatchMaker {
  release(): Promise<void>
}

/**
 * Makes batches of pictures of any size: decoded, changed, resized and normalised on threads of their own, with targets
 * that were changed alike. What trains on the same data at once shares the threads and what they keep in memory.
 */
export function createPictureBatches<T extends PictureTask>(options: PictureBatchesOptions<T>): PictureBatches {
  const { dataset, task, augmentation } = options
  const { channels, height, width } = dataset.imageShape
  const { workers, release } = shareWorkers(options)

  /** @param changesOf the stream of changes of one picture of the batch */
  const prepare = async (
    split: SplitName,
    positions: readonly number[],
    withTargets: boolean,
    changesOf: (index: number) => { augmentation: AugmentationOf<T>; rng: Rng } | null,
  ): Promise<Feeds> => {
    const samples = dataset[split]
    const prepared = await Promise.all(
      positions.map((position, index) =>
        workers.prepare({
          source: samples.picture(position),
          position,
          target: samples.targets[position] as TargetOf<T>,
          change: changesOf(index),
        }),
      ),
    )
    const images = floatTensor([positions.length, channels, height, width])
    const pixels = images.data as Float32Array
    for (const [index, { planes }] of prepared.entries()) pixels.set(planes, index * planes.length)
    const targets: Readonly<Record<string, Tensor>> = withTargets
      ? task.encodeTargets(prepared.map(({ target }) => target))
      : {}
    return { [imagesInput]: images, ...targets }
  }

  return {
    training: (positions, rng) =>
      prepare("train", positions, true, (index) => augmentation && { augmentation, rng: rng.child(index) }),
    evaluation: (split, positions, withTargets) => prepare(split, positions, withTargets, () => null),
    release,
  }
}

interface SharedWorkers {
  readonly workers: PictureWorkers<PictureTask>
  users: number
}

const sharedWorkers = new WeakMap<PictureDataset<never>, SharedWorkers>()

/** The threads of some data; the last to release them ends them. */
function shareWorkers<T extends PictureTask>({ dataset, pictureTask, threads }: PictureBatchesOptions<T>) {
  const shared = sharedWorkers.get(dataset as PictureDataset<never>) ?? {
    workers: new PictureWorkers({
      task: pictureTask,
      data: dataset,
      ...(threads !== undefined && { count: threads }),
    }) as PictureWorkers<PictureTask>,
    users: 0,
  }
  sharedWorkers.set(dataset as PictureDataset<never>, shared)
  shared.users++
  let isReleased = false
  return {
    workers: shared.workers as unknown as PictureWorkers<T>,
    async release() {
      if (isReleased) return
      isReleased = true
      shared.users--
      if (shared.users > 0) return
      sharedWorkers.delete(dataset as PictureDataset<never>)
      await shared.workers.release()
    },
  }
}
