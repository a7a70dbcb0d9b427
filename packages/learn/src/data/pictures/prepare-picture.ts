import { createRng } from "@learnloss/engine/threads"
import type { Picture } from "../dataset.ts"
import { type DecodedPicture, decodePicture } from "./decode-picture.ts"
import { PictureCache } from "./picture-cache.ts"
import type { PictureRequest, PictureSettings, PreparedPicture } from "./picture-protocol.ts"
import type { Prepared } from "./pipeline.ts"
import { type PictureTask, pipelineOf, type TargetOf } from "./pipelines.ts"

/** A request for what can do without normalised planes. */
interface InputRequest extends Omit<PictureRequest, "settings"> {
  readonly settings: Omit<PictureSettings, "table">
}

type AnyTarget = TargetOf<PictureTask>

/** Decoded pictures of this thread. */
const cache = new PictureCache<DecodedPicture>(({ pixels }) => pixels.byteLength)

/**
 * Decodes, changes, resizes and normalises one picture. The result depends on the request alone.
 *
 * @throws LearnlossError `BAD_IMAGE`, and what the task's pipeline throws
 */
export async function preparePicture(request: PictureRequest): Promise<PreparedPicture> {
  const { pixels, target } = await renderInput(request)
  return { planes: normalizePixels(pixels, request.settings.table), target }
}

/**
 * Decodes, changes and resizes one picture: what a network sees of it, before it is normalised.
 *
 * @throws LearnlossError `BAD_IMAGE`, and what the task's pipeline throws
 */
export async function renderInput({ settings, source, target, change }: InputRequest): Promise<Prepared<AnyTarget>> {
  const { height, width } = settings.imageShape
  const { prepare, keptSides } = pipelineOf(settings.task)
  const longestSide = keptSides * Math.max(height, width)
  const picture =
    typeof source === "string"
      ? await cache.get(`${longestSide} ${source}`, () => decodePicture(source, longestSide), settings.cacheBytes)
      : inMemory(source)
  return await prepare({
    picture,
    name: typeof source === "string" ? source : "a picture in memory",
    target,
    change: change && { augmentation: change.augmentation, rng: createRng(change.rngPath) },
    size: { width, height },
    fill: settings.fill,
    skeleton: settings.skeleton,
  })
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
