import { openSizedImage, pixelsOf } from "../data/decode-image.ts"
import { decodePicture } from "../data/pictures/decode-picture.ts"
import { pipelines } from "../data/pictures/pipelines.ts"
import { resizePicture } from "../data/pictures/resize.ts"
import type { ImageInput } from "../export.ts"
import type { FileSize } from "./read-outputs.ts"

/** An image file as a network is fed it, and the size of the file. */
export interface ReadImage {
  /** [height, width, channels] uint8. */
  readonly pixels: Uint8Array
  readonly size: FileSize
}

/**
 * Decodes an image file to a network's size in just the way of its training.
 *
 * @throws LearnlossError `BAD_IMAGE`
 */
export async function readImage(path: string, input: ImageInput): Promise<ReadImage> {
  return input.fit === "cover" ? await readCovering(path, input) : await readStretched(path, input)
}

async function readCovering(path: string, { width, height, channels }: ImageInput): Promise<ReadImage> {
  const { image, ...size } = await openSizedImage(path)
  const resized = image.resize(width, height, { fit: "cover", position: "centre" })
  return { pixels: await pixelsOf(path, resized.toColourspace(channels === 1 ? "b-w" : "srgb")), size }
}

async function readStretched(path: string, { width, height }: ImageInput): Promise<ReadImage> {
  const picture = await decodePicture(path, pipelines.detection.keptSides * Math.max(width, height))
  const pixels = await resizePicture(picture, width, height)
  return { pixels, size: { width: picture.fileWidth, height: picture.fileHeight } }
}
