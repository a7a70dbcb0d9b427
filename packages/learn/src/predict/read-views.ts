import { openSizedImage, pixelsOf } from "../data/decode-image.ts"
import type { PersonCrop } from "../data/people.ts"
import { decodePicture } from "../data/pictures/decode-picture.ts"
import { meanColour } from "../data/pictures/picture-workers.ts"
import { pipelines } from "../data/pictures/pipelines.ts"
import { preparePose } from "../data/pictures/prepare-pose.ts"
import { resizePicture } from "../data/pictures/resize.ts"
import type { ImageInput } from "../export.ts"
import type { NetworkFile } from "./network-file.ts"
import { cropOfWhole, type FileSize, type View } from "./read-outputs.ts"

/** A view of an image file as a network is fed it. */
export interface ReadView extends View {
  /** [height, width, channels] uint8. */
  readonly pixels: Uint8Array
}

/** An image file as a network is shown it. */
export interface ReadImage {
  /** Of the file. */
  readonly size: FileSize
  readonly views: readonly ReadView[]
}

/** The squares of an image file that show a person each, in its pixels. */
export type CropsOf = (path: string, size: FileSize) => readonly PersonCrop[]

type ViewReader = (
  path: string,
  network: Pick<NetworkFile, "images" | "normalization">,
  cropsOf: CropsOf,
) => Promise<ReadImage>

const readers = {
  cover: readCovering,
  stretch: readStretched,
  "square crop": readCrops,
} as const satisfies Record<ImageInput["fit"], ViewReader>

/**
 * Decodes an image file to a network's size in just the way of its training.
 *
 * @param cropsOf of networks that are shown a person each; by default an image is taken for one
 * @throws LearnlossError `BAD_IMAGE`
 */
export async function readViews(
  path: string,
  network: Pick<NetworkFile, "images" | "normalization">,
  cropsOf: CropsOf = (_, size) => [cropOfWhole(size)],
): Promise<ReadImage> {
  const read: ViewReader = readers[network.images.fit]
  return await read(path, network, cropsOf)
}

async function readCovering(
  path: string,
  { images: { width, height, channels } }: Pick<NetworkFile, "images">,
): Promise<ReadImage> {
  const { image, ...size } = await openSizedImage(path)
  const resized = image.resize(width, height, { fit: "cover", position: "centre" })
  const pixels = await pixelsOf(path, resized.toColourspace(channels === 1 ? "b-w" : "srgb"))
  return { size, views: [{ pixels, size }] }
}

async function readStretched(
  path: string,
  { images: { width, height } }: Pick<NetworkFile, "images">,
): Promise<ReadImage> {
  const picture = await decodePicture(path, pipelines.detection.keptSides * Math.max(width, height))
  const size = { width: picture.fileWidth, height: picture.fileHeight }
  return { size, views: [{ pixels: await resizePicture(picture, width, height), size }] }
}

async function readCrops(
  path: string,
  { images, normalization }: Pick<NetworkFile, "images" | "normalization">,
  cropsOf: CropsOf,
): Promise<ReadImage> {
  const picture = await decodePicture(path, pipelines.pose.keptSides * images.width)
  const size = { width: picture.fileWidth, height: picture.fileHeight }
  const fill = meanColour(normalization)
  const views = cropsOf(path, size).map(async (crop) => {
    const target = { ...size, joints: [], crop, box: null, area: null, head: null, imageId: path }
    const { pixels } = await preparePose({ picture, name: path, target, change: null, size: images, fill })
    return { size, crop, pixels }
  })
  return { size, views: await Promise.all(views) }
}
