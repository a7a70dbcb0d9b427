import { readFile } from "node:fs/promises"
import { LearnlossError } from "@learnloss/engine/threads"
import sharp, { type Sharp } from "sharp"

/** Names that are taken for images, in lower case. */
export const imageExtensions = [".jpg", ".jpeg", ".png", ".webp"] as const

/** Colour that transparent pixels are laid over. */
const canvas = { r: 255, g: 255, b: 255 }

const decodableFormats: readonly string[] = ["jpeg", "png", "webp"]

/**
 * Decodes a JPEG, PNG or WebP file to sRGB planes [3, side, side] uint8: turned as its EXIF orientation says, laid over
 * white where it is transparent, the shorter side brought to `side` and the middle cut out. Grey, CMYK and 16-bit
 * images come out as 8-bit RGB; of an animation the first picture is taken.
 *
 * @throws LearnlossError `BAD_IMAGE` for an empty, damaged, cut-off, oversized or 1-pixel image.
 */
export async function decodeImage(path: string, side: number): Promise<Uint8Array> {
  const image = await openImage(path)
  const resized = image.resize(side, side, { fit: "cover", position: "centre" }).toColourspace("srgb")
  return toPlanes(await pixelsOf(path, resized), 3)
}

/** An image file that was opened: nothing but its header is read yet. */
export interface OpenedImage {
  /** Upright, laid over white where it is transparent. */
  readonly image: Sharp
  /** Upright size in pixels. */
  readonly width: number
  readonly height: number
}

/** Opens an image file like `openSizedImage`, for those who do not need its size. */
export async function openImage(path: string): Promise<Sharp> {
  return (await openSizedImage(path)).image
}

/**
 * Opens an image file.
 *
 * sharp's limit of 268 megapixels stays on, so a decompression bomb is refused from its header.
 *
 * @throws LearnlossError `BAD_IMAGE`
 */
export async function openSizedImage(path: string): Promise<OpenedImage> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw badImage(path, "a readable file", error.message, error)
  })
  if (bytes.length === 0) throw badImage(path, "an image", "an empty file")
  const header = await sharp(bytes)
    .metadata()
    .catch((error: Error) => {
      throw badImage(path, "a JPEG, PNG or WebP image", lowerFirst(error.message), error)
    })
  if (!decodableFormats.includes(header.format)) {
    throw badImage(path, "a JPEG, PNG or WebP image", `a file of format ${header.format}`)
  }
  if (header.width < 2 || header.height < 2) {
    throw badImage(path, "at least 2x2 pixels", `${header.width}x${header.height}`)
  }
  // "error" refuses cut-off and damaged pixel data, but not a photograph with a harmless oddity in its metadata.
  const image = sharp(bytes, { failOn: "error" }).autoOrient().flatten({ background: canvas })
  return { image, ...header.autoOrient }
}

/**
 * The pixels that a prepared image comes to, interleaved [H, W, C] uint8.
 *
 * @throws LearnlossError `BAD_IMAGE` for damaged or cut-off pixel data
 */
export async function pixelsOf(path: string, image: Sharp): Promise<Uint8Array> {
  return await image
    .raw({ depth: "uchar" })
    .toBuffer()
    .catch((error: Error) => {
      throw badImage(path, "a whole image", failureOf(error), error)
    })
}

/**
 * Width and height of an image file as it is seen, turned as its EXIF orientation says; only its header is read.
 *
 * @throws LearnlossError `BAD_IMAGE`
 */
export async function imageSize(path: string): Promise<{ readonly width: number; readonly height: number }> {
  const { autoOrient } = await sharp(path)
    .metadata()
    .catch((error: Error) => {
      throw badImage(path, "a JPEG, PNG or WebP image", lowerFirst(error.message), error)
    })
  return { width: autoOrient.width, height: autoOrient.height }
}

/** Turns interleaved pixels [H, W, C] into planes [C, H, W]. */
export function toPlanes(interleaved: Uint8Array, channels: number): Uint8Array {
  const pixels = interleaved.length / channels
  const planes = new Uint8Array(interleaved.length)
  for (let channel = 0; channel < channels; channel++) {
    const plane = channel * pixels
    for (let pixel = 0, from = channel; pixel < pixels; pixel++, from += channels) {
      planes[plane + pixel] = interleaved[from] as number
    }
  }
  return planes
}

function badImage(path: string, expected: string, got: string, cause?: Error): LearnlossError {
  return new LearnlossError("BAD_IMAGE", {
    where: path,
    expected,
    got,
    fix: "Replace the file or take it out of the folder.",
    cause,
  })
}

/** Where several images are decoded at once, sharp at times says "unknown error" of one that ends too early. */
function failureOf({ message }: Error): string {
  return /^unknown error$/im.test(message) ? "pixels that are cut off or damaged" : lowerFirst(message)
}

function lowerFirst(message: string): string {
  const line = message.split("\n")[0] ?? ""
  return line.charAt(0).toLowerCase() + line.slice(1)
}
