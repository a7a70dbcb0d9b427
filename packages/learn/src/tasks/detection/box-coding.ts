import type { Box } from "../../data/boxes.ts"

/**
 * What offsets are divided by, so that they are about as large as the class logits: 0.1 for the centre, 0.2 for the
 * logarithm of the size. The reference calls them variances.
 */
export const [centerScale, sizeScale] = [0.1, 0.2]

/** One of the default boxes [P, 4]. */
export function centerAndSize(
  defaults: Float32Array,
  position: number,
): readonly [x: number, y: number, width: number, height: number] {
  const at = 4 * position
  return [defaults[at], defaults[at + 1], defaults[at + 2], defaults[at + 3]] as [number, number, number, number]
}

/**
 * Writes the four numbers that a network is to say for a box: where its centre lies from a default box's in units of that
 * box's size, and the logarithm of its size over that box's.
 *
 * @param box corners as shares of the image's width and height, with an area
 * @param defaults [P, 4] centres and sizes
 * @param position which of the P
 * @param into [P, 4]; the offsets stand where the default box stands in `defaults`, after `start` numbers
 */
export function encodeBox(
  [x1, y1, x2, y2]: Box,
  defaults: Float32Array,
  position: number,
  into: Float32Array,
  start = 0,
): void {
  const [x, y, width, height] = centerAndSize(defaults, position)
  const at = start + 4 * position
  into[at] = ((x1 + x2) / 2 - x) / width / centerScale
  into[at + 1] = ((y1 + y2) / 2 - y) / height / centerScale
  into[at + 2] = Math.log((x2 - x1) / width) / sizeScale
  into[at + 3] = Math.log((y2 - y1) / height) / sizeScale
}

/**
 * The box that four offsets mean; it may reach over the image's edges.
 *
 * @param offsets the four stand from `at` on
 * @returns corners as shares of the image's width and height
 */
export function decodeBox(offsets: Float32Array, at: number, defaults: Float32Array, position: number): Box {
  const [x, y, width, height] = centerAndSize(defaults, position)
  const centerX = x + (offsets[at] as number) * centerScale * width
  const centerY = y + (offsets[at + 1] as number) * centerScale * height
  const halfWidth = (width * Math.exp((offsets[at + 2] as number) * sizeScale)) / 2
  const halfHeight = (height * Math.exp((offsets[at + 3] as number) * sizeScale)) / 2
  return [centerX - halfWidth, centerY - halfHeight, centerX + halfWidth, centerY + halfHeight]
}
