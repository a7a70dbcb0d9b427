import { stat } from "node:fs/promises"
import sharp, { type Metadata } from "sharp"
import { decodeImage } from "../decode-image.ts"
import type { DefectLog } from "./defects.ts"

/** Sizes of an image file in pixels. */
export interface ImageHeader {
  /** Upright, i.e. turned as its EXIF orientation says. */
  readonly width: number
  readonly height: number
  /** As it is stored. */
  readonly stored: { readonly width: number; readonly height: number }
}

/** sharp's own limit, which keeps a small file from filling the memory. */
const mostPixels = 0x3fff ** 2

const readFormats: readonly string[] = ["jpeg", "png", "webp"]

/**
 * Reads the header of an image file and notes what is unusual about it; undefined when the image cannot be used.
 *
 * @param decodes also decodes the pixels, which finds damaged and cut-off files
 */
export async function inspectImage(
  id: string,
  path: string,
  log: DefectLog,
  decodes: boolean,
): Promise<ImageHeader | undefined> {
  const spoil = (reason: string): undefined => {
    log.spoil(id, "unreadable-image", path, reason)
  }
  const file = await stat(path).catch(() => undefined)
  if (file === undefined || !file.isFile()) return spoil("no readable file")
  if (file.size === 0) return spoil("an empty file")
  // The limit is checked by hand, so that the size can be told; decoding keeps it.
  const header = await sharp(path, { limitInputPixels: false })
    .metadata()
    .catch((error: Error) => firstLine(error))
  if (typeof header === "string") return spoil(header)
  if (header.width * header.height > mostPixels) {
    const size = `${header.width}x${header.height} pixels`
    log.spoil(
      id,
      "oversized-image",
      path,
      `${size}, more than the ${Math.floor(mostPixels / 1e6)} million that are read`,
    )
    return undefined
  }
  if (!readFormats.includes(header.format)) return spoil(`a file of format ${header.format}, not JPEG, PNG or WebP`)
  if (header.width < 2 || header.height < 2) return spoil(`only ${header.width}x${header.height} pixels`)
  noteColours(path, header, log)
  if (decodes) {
    const failure = await decodeImage(path, decodedSide).then(
      () => undefined,
      (error: Error) => error,
    )
    if (failure !== undefined) log.spoil(id, "damaged-image", path, damageOf(failure))
  }
  const { width, height } = header
  return { width: header.autoOrient.width, height: header.autoOrient.height, stored: { width, height } }
}

/**
 * Compares the size that an annotation gives with the image's own, which its boxes would not fit otherwise.
 *
 * @returns the annotation's, undefined when it gives none
 */
export function compareSize(
  id: string,
  file: string,
  what: string,
  [width = 0, height = 0]: readonly number[],
  header: ImageHeader | undefined,
  log: DefectLog,
): { readonly width: number; readonly height: number } | undefined {
  if (!(width > 0 && width < 1e9 && height > 0 && height < 1e9)) {
    log.add("size-zero", "noted", file, `${what} of ${width}x${height}: the image's own is taken`)
    return undefined
  }
  if (header !== undefined && (header.width !== width || header.height !== height)) {
    const isStored = header.stored.width === width && header.stored.height === height
    const why = isStored ? ", annotated before its EXIF orientation turns it" : ""
    log.spoil(
      id,
      "wrong-size",
      file,
      `${what} of ${width}x${height}, the image has ${header.width}x${header.height}${why}`,
    )
  }
  return { width, height }
}

/** The pixels are only decoded to see whether they can be. */
const decodedSide = 8

function noteColours(path: string, header: Metadata, log: DefectLog): void {
  const { space, depth } = header
  if (space === "b-w" || space === "grey16") log.add("grey-image", "noted", path, "a grey image: read as RGB")
  if (space === "cmyk") log.add("cmyk-image", "noted", path, "a CMYK image: read as RGB")
  if (depth !== "uchar") log.add("deep-image", "noted", path, "more than 8 bits a channel: read with 8")
}

function damageOf(error: Error): string {
  const details = (error as { readonly details?: { readonly got?: string } }).details
  return `damaged: ${details?.got ?? firstLine(error)}`
}

function firstLine(error: Error): string {
  return error.message.split("\n")[0] ?? ""
}
