import type { Rng } from "@learnloss/engine"
import type { ImageShape } from "./dataset.ts"

/** Random changes of training images. */
export interface Augmentation {
  /** Padding in pixels before a random crop of the original size; 0 turns it off. */
  readonly crop: number
  /** Mirror left to right with probability one half. */
  readonly flip: boolean
}

/**
 * Writes one image, normalised and unchanged otherwise, into `out` from `offset` on: for scoring and evaluation.
 *
 * @param image planes [C, H, W] uint8
 * @param table of `normalizationTable`, [C, 256]
 */
export function normalizeInto(
  image: Uint8Array,
  shape: ImageShape,
  table: Float32Array,
  out: Float32Array,
  offset: number,
): void {
  const pixels = shape.height * shape.width
  for (let channel = 0; channel < shape.channels; channel++) {
    const base = channel * pixels
    const entry = channel * 256
    for (let pixel = base; pixel < base + pixels; pixel++) {
      out[offset + pixel] = table[entry + (image[pixel] as number)] as number
    }
  }
}

/**
 * Writes one randomly cropped and mirrored image, normalised, into `out` from `offset` on: for training only.
 *
 * The padding is 0 *after* normalisation, i.e. of the data set's mean colour, so it tells the network nothing. (Padding
 * before normalisation would be black.) Draws the vertical shift, the horizontal shift and the mirroring from `rng`, in
 * this order, and only those that are on.
 *
 * @param image planes [C, H, W] uint8
 * @param table of `normalizationTable`, [C, 256]
 */
export function augmentInto(
  image: Uint8Array,
  shape: ImageShape,
  { crop, flip }: Augmentation,
  table: Float32Array,
  rng: Rng,
  out: Float32Array,
  offset: number,
): void {
  const { channels, height, width } = shape
  const down = crop > 0 ? rng.integer(2 * crop + 1) - crop : 0
  const right = crop > 0 ? rng.integer(2 * crop + 1) - crop : 0
  const isMirrored = flip && rng.float() < 0.5
  // Columns of the crop that lie inside the image; before and after them is padding.
  const firstColumn = Math.max(0, -right)
  const lastColumn = Math.min(width, width - right)
  const step = isMirrored ? -1 : 1
  out.fill(0, offset, offset + channels * height * width)
  for (let channel = 0; channel < channels; channel++) {
    const entry = channel * 256
    for (let row = Math.max(0, -down); row < Math.min(height, height - down); row++) {
      const from = (channel * height + row + down) * width + right
      const line = offset + (channel * height + row) * width
      let to = isMirrored ? line + width - 1 - firstColumn : line + firstColumn
      for (let column = firstColumn; column < lastColumn; column++, to += step) {
        out[to] = table[entry + (image[from + column] as number)] as number
      }
    }
  }
}
