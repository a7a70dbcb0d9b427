import { LearnlossError } from "@learnloss/engine/threads"
import type { Picture } from "../dataset.ts"
import { openSizedImage, pixelsOf } from "../decode-image.ts"

/** A picture as it is kept in memory, maybe smaller than its file. */
export interface DecodedPicture extends Picture {
  /** Upright size of the file in pixels, which its boxes and joints are measured in. */
  readonly fileWidth: number
  readonly fileHeight: number
}

/**
 * Decodes a JPEG, PNG or WebP file of any size to 8-bit RGB: upright, laid over white where it is transparent, and
 * shrunk so that its longer side is at most `longestSide` pixels. Each axis is shrunk by exactly the ratio of the sizes
 * given back.
 *
 * @throws LearnlossError `BAD_IMAGE` for an empty, damaged, cut-off, oversized or 1-pixel image
 */
export async function decodePicture(path: string, longestSide: number): Promise<DecodedPicture> {
  const { image, width: fileWidth, height: fileHeight } = await openSizedImage(path)
  const scale = Math.min(1, longestSide / Math.max(fileWidth, fileHeight))
  const width = Math.max(1, Math.round(fileWidth * scale))
  const height = Math.max(1, Math.round(fileHeight * scale))
  const resized = scale === 1 ? image : image.resize(width, height, { fit: "fill", kernel: "linear" })
  const pixels = await pixelsOf(path, resized.toColourspace("srgb"))
  return { width, height, pixels, fileWidth, fileHeight }
}

/**
 * Makes sure that what a person marked was marked in this picture, as far as its size can tell.
 *
 * @param name of the picture
 * @param what was marked, e.g. `boxes`
 * @throws LearnlossError `PICTURE_SIZE`
 */
export function requireFileSize(
  { fileWidth, fileHeight }: DecodedPicture,
  { width, height }: { readonly width: number; readonly height: number },
  name: string,
  what: string,
): void {
  if (width === fileWidth && height === fileHeight) return
  throw new LearnlossError("PICTURE_SIZE", {
    where: name,
    expected: `${width}x${height} pixels, in which its ${what} are measured`,
    got: `${fileWidth}x${fileHeight}`,
    fix: `The ${what} belong to another image, or to this one before it was turned or scaled: run \`learnloss data check\`.`,
  })
}
