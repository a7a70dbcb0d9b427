import type { Rng } from "@learnloss/engine"
import type { Skeleton } from "../people.ts"
import type { DecodedPicture } from "./decode-picture.ts"
import type { Colour } from "./render-frame.ts"

/** One picture that is to be brought to a network's input. */
export interface Preparation<Target, Augmentation> {
  readonly picture: DecodedPicture
  /** Of the picture, in error messages. */
  readonly name: string
  /** In pixels of the picture's file. */
  readonly target: Target
  /** Random changes; null leaves the picture as it is. */
  readonly change: { readonly augmentation: Augmentation; readonly rng: Rng } | null
  /** Of the network's input, in pixels. */
  readonly size: { readonly width: number; readonly height: number }
  /** Mean colour of the data, for what lies outside the picture. */
  readonly fill: Colour
  /** Of people only: which joints change places in a mirrored picture. */
  readonly skeleton?: Skeleton | undefined
}

/** A picture as a network's input shows it. */
export interface Prepared<Target> {
  /** [height, width, 3], uint8. */
  readonly pixels: Uint8Array
  /** In pixels of the input. */
  readonly target: Target
}
