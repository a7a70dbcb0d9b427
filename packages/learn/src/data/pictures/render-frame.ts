import type { Picture } from "../dataset.ts"
import { type ColourChanges, changeColours } from "./colour-changes.ts"
import { resizePicture } from "./resize.ts"

/** What is shown of a picture: a rectangle of whole pixels, which may stand out over the picture's edges. */
export interface Frame {
  /** Of the frame's corner in the picture, in pixels; negative outside. */
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  readonly isMirrored: boolean
}

/** Red, green and blue, 0..255. */
export type Colour = readonly [red: number, green: number, blue: number]

/**
 * Pixels of a frame brought to a size, whatever its proportions: [height, width, 3] uint8. Colours change only where
 * the picture is; the rest of the frame has the colour `fill`.
 */
export async function renderFrame(
  picture: Picture,
  frame: Frame,
  colours: ColourChanges,
  fill: Colour,
  { width, height }: { readonly width: number; readonly height: number },
): Promise<Uint8Array> {
  const framed = cut(picture, frame, colours, fill)
  const pixels = await resizePicture(framed, width, height)
  return frame.isMirrored ? mirrorRows(pixels, width) : pixels
}

/** The frame in its own size; the picture's pixels are never written to. */
function cut(picture: Picture, frame: Frame, colours: ColourChanges, fill: Colour): Picture {
  const { width, height } = frame
  // The part of the picture that the frame shows.
  const left = Math.max(0, frame.left)
  const top = Math.max(0, frame.top)
  const right = Math.min(picture.width, frame.left + width)
  const bottom = Math.min(picture.height, frame.top + height)
  const part = { width: Math.max(0, right - left), height: Math.max(0, bottom - top) }
  const isWhole = part.width === picture.width && part.height === picture.height
  const isFull = part.width === width && part.height === height
  if (isWhole && isFull && Object.keys(colours).length === 0) return picture

  const shown = new Uint8Array(part.width * part.height * 3)
  copyRows(picture, { left, top }, { width: part.width, pixels: shown }, { left: 0, top: 0 }, part)
  changeColours(shown, colours)
  if (isFull) return { width, height, pixels: shown }

  const pixels = filled(width, height, fill)
  const to = { left: left - frame.left, top: top - frame.top }
  copyRows({ width: part.width, pixels: shown }, { left: 0, top: 0 }, { width, pixels }, to, part)
  return { width, height, pixels }
}

type Rows = Pick<Picture, "width" | "pixels">
interface Place {
  readonly left: number
  readonly top: number
}

function copyRows(from: Rows, at: Place, to: Rows, place: Place, size: { width: number; height: number }): void {
  for (let row = 0; row < size.height; row++) {
    const start = ((at.top + row) * from.width + at.left) * 3
    to.pixels.set(from.pixels.subarray(start, start + size.width * 3), ((place.top + row) * to.width + place.left) * 3)
  }
}

function filled(width: number, height: number, [red, green, blue]: Colour): Uint8Array {
  const pixels = new Uint8Array(width * height * 3)
  for (let index = 0; index < width * 3; index += 3) {
    pixels[index] = red
    pixels[index + 1] = green
    pixels[index + 2] = blue
  }
  for (let row = 1; row < height; row++) pixels.copyWithin(row * width * 3, 0, width * 3)
  return pixels
}

/** A mirrored copy: the pixels may be those of the picture itself. */
function mirrorRows(pixels: Uint8Array, width: number): Uint8Array {
  const mirrored = new Uint8Array(pixels.length)
  for (let row = 0; row < pixels.length; row += width * 3) {
    let to = row + (width - 1) * 3
    for (let from = row; from < row + width * 3; from += 3, to -= 3) {
      mirrored[to] = pixels[from] as number
      mirrored[to + 1] = pixels[from + 1] as number
      mirrored[to + 2] = pixels[from + 2] as number
    }
  }
  return mirrored
}
