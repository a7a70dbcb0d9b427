import { availableParallelism, totalmem } from "node:os"
import { CallThread, type Rng } from "@learnloss/engine/threads"
// Loaded here before any thread does: its native library must stay in memory until the last of them has ended.
import "sharp"
import type { PictureDataset, PictureSource } from "../dataset.ts"
import { normalizationTable } from "../normalization.ts"
import type { PictureCalls, PictureSettings, PreparedPicture } from "./picture-protocol.ts"
import type { AugmentationOf, PictureTask, TargetOf } from "./pipelines.ts"
import type { Colour } from "./render-frame.ts"

/** Share of the machine's memory that all threads together keep decoded pictures in. */
const memoryShare = 1 / 8

const module = new URL(import.meta.url.endsWith(".ts") ? "./picture-worker.ts" : "./picture-worker.js", import.meta.url)

export interface PictureWorkersOptions<T extends PictureTask> {
  readonly task: T
  readonly data: Pick<PictureDataset<TargetOf<T>>, "imageShape" | "normalization" | "skeleton">
  /** Threads; two, or one on a machine of one core, where it is left out. */
  readonly count?: number
  /** Bytes of decoded pictures that all threads keep together. */
  readonly cacheBytes?: number
}

/** One picture to prepare. */
export interface PictureOrder<T extends PictureTask> {
  readonly source: PictureSource
  /** Of the sample in its split: a picture goes to the same thread every time, so it is kept once. */
  readonly position: number
  readonly target: TargetOf<T>
  /** Random changes; null leaves the picture as it is. */
  readonly change: { readonly augmentation: AugmentationOf<T>; readonly rng: Rng } | null
}

/**
 * Threads that decode, change, resize and normalise pictures. What comes out depends neither on their number nor on what
 * else they do. They start with the first picture, do not keep a process alive, and must be released.
 */
export class PictureWorkers<T extends PictureTask> {
  readonly #threads: readonly CallThread<PictureCalls>[]
  readonly #settings: PictureSettings<T>

  constructor({ task, data, count, cacheBytes }: PictureWorkersOptions<T>) {
    const threads = count ?? Math.min(2, availableParallelism())
    const { imageShape, normalization, skeleton } = data
    this.#threads = Array.from({ length: threads }, () => new CallThread<PictureCalls>(module, "a picture thread"))
    this.#settings = {
      task,
      imageShape,
      table: normalizationTable(normalization),
      fill: meanColour(normalization),
      skeleton,
      cacheBytes: Math.floor((cacheBytes ?? usableMemory() * memoryShare) / threads),
    }
  }

  /**
   * Prepares one picture.
   *
   * @throws LearnlossError `BAD_IMAGE`, `PICTURE_SIZE`
   */
  async prepare({ source, position, target, change }: PictureOrder<T>): Promise<PreparedPicture<T>> {
    const thread = this.#threads[position % this.#threads.length] as CallThread<PictureCalls>
    return await thread.call("prepare", {
      settings: this.#settings,
      source,
      target,
      change: change && { augmentation: change.augmentation, rngPath: change.rng.path },
    })
  }

  /** Ends the threads; pictures that are being prepared fail. */
  async release(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.release()))
  }
}

/** What lies outside a picture: a colour that the network is fed as (nearly) zero. */
export function meanColour({ mean }: PictureDataset<unknown>["normalization"]): Colour {
  const [red = 0, green = 0, blue = 0] = mean.map((value) => Math.round(value * 255))
  return [red, green, blue]
}

/** Memory of the machine, or of the container that the process is kept in. */
function usableMemory(): number {
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem()
}
