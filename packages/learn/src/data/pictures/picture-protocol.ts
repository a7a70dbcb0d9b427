import type { ImageShape, PictureSource } from "../dataset.ts"
import type { Skeleton } from "../people.ts"
import type { AugmentationOf, PictureTask, TargetOf } from "./pipelines.ts"
import type { Colour } from "./render-frame.ts"

/** What is the same for every picture of some data. */
export interface PictureSettings<T extends PictureTask = PictureTask> {
  readonly task: T
  /** What the network is fed. */
  readonly imageShape: ImageShape
  /** Normalised value of every pixel value, [3, 256]. */
  readonly table: Float32Array
  readonly fill: Colour
  /** Of people only. */
  readonly skeleton: Skeleton | undefined
  /** How much memory each thread may keep decoded pictures in. */
  readonly cacheBytes: number
}

/** One picture to prepare: everything that a thread needs to know, so that it may be started again at any time. */
export interface PictureRequest<T extends PictureTask = PictureTask> {
  readonly settings: PictureSettings<T>
  readonly source: PictureSource
  readonly target: TargetOf<T>
  /** Random changes from the stream of this path; null leaves the picture as it is. */
  readonly change: { readonly augmentation: AugmentationOf<T>; readonly rngPath: string } | null
}

/** A picture as the network is fed it. */
export interface PreparedPicture<T extends PictureTask = PictureTask> {
  /** Normalised planes [3, height, width]. */
  readonly planes: Float32Array<ArrayBuffer>
  /** In pixels of the network's input. */
  readonly target: TargetOf<T>
}

/** Calls that a thread which prepares pictures answers. */
export type PictureCalls = { prepare: [PictureRequest, PreparedPicture] }
