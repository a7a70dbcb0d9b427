import { createRng } from "@learnloss/engine/threads"
import type { Picture } from "../dataset.ts"
import { type DecodedPicture, decodePicture } from "./decode-picture.ts"
import { PictureCache } from "./picture-cache.ts"
import type { PictureRequest, PreparedPicture } from "./picture-protocol.ts"
import { pipelineOf } from "./pipelines.ts"

/** Decoded pictures of this thread. */
const cache = new PictureCache<DecodedPicture>(({ pixels }) => pixels.byteLength)

/**
 * Decodes, changes, resizes and normalises one picture. The result depends on the request alone.
 *
 * @throws LearnlossError `BAD_IMAGE`, and what the task's pipeline throws
 */
export async function preparePicture({ settings, source, target, change }: PictureRequest): Promise<PreparedPicture> {
  const { height, width } = settings.imageShape
  const { prepare, keptSides } = pipelineOf(settings.task)
  const longestSide = keptSides * Math.max(height, width)
  const picture =
    typeof source === "string"
      ? await cache.get(`${longestSide} ${source}`, () => decodePicture(source, longestSide), settings.cacheBytes)
      : inMemory(source)
  const prepared = await prepare({
    picture,
    name: typeof source === "string" ? source : "a picture in memory",
    target,
    change: change && { augmentation: change.augmentation, rng: createRng(change.rngPath) },
    size: { width, height },
    fill: settings.fill,
    skeleton: settings.skeleton,
  })
  return { planes: normalizePixels(prepared.pixels, settings.table), target: prepared.target }
}

/** A picture that needs no decoding, as if it had come from a file. */
export function inMemory({ width, height, pixels }: Picture): DecodedPicture {
  return { width, height, pixels, fileWidth: width, fileHeight: height }
}

/** Interleaved pixels [N, 3] as normalised planes [3, N]. */
function normalizePixels(pixels: Uint8Array, table: Float32Array): Float32Array<ArrayBuffer> {
  const area = pixels.length / 3
  const planes = new Float32Array(pixels.length)
  for (let channel = 0; channel < 3; channel++) {
    const [plane, row] = [channel * area, channel * 256]
    for (let pixel = 0, from = channel; pixel < area; pixel++, from += 3) {
      planes[plane + pixel] = table[row + (pixels[from] as number)] as number
    }
  }
  return planes
}
