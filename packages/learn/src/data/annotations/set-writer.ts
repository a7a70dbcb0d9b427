import type { AnnotatedImage, AnnotatedSet } from "./annotated-set.ts"
import type { Losses } from "./losses.ts"
import type { BoxOrigin } from "./set-reader.ts"

/** Where a writer puts what. */
export interface WriteTarget {
  /** An empty folder that exists. */
  readonly folder: string
  readonly origin: BoxOrigin
  /** Counts what the format has no place for. */
  readonly losses: Losses
  /** Puts the file of an image at a path relative to the folder; does nothing when the image has none. */
  putImage(image: AnnotatedImage, file: string): Promise<void>
  /** Writes a file at a path relative to the folder, with the folders above it. */
  putText(file: string, text: string): Promise<void>
}

/** What stands in the annotations that were written; files of images may be fewer. */
export interface WrittenCounts {
  readonly images: number
  readonly boxes: number
}

/** Writes annotated images in one format. */
export type SetWriter = (set: AnnotatedSet, target: WriteTarget) => Promise<WrittenCounts>
