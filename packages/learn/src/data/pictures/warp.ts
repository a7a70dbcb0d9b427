import type { Picture } from "../dataset.ts"
import type { Colour } from "./render-frame.ts"

/** Turns places of one plane into places of another: x' = xx * x + xy * y + x0, y' = yx * x + yy * y + y0. */
export interface Affine {
  readonly xx: number
  readonly xy: number
  readonly x0: number
  readonly yx: number
  readonly yy: number
  readonly y0: number
}

/** Where a transformation takes a place. */
export function transform({ xx, xy, x0, yx, yy, y0 }: Affine, x: number, y: number): { x: number; y: number } {
  return { x: xx * x + xy * y + x0, y: yx * x + yy * y + y0 }
}

/** The transformation that takes everything back; it exists where the area of a picture does not vanish. */
export function inverse({ xx, xy, x0, yx, yy, y0 }: Affine): Affine {
  const area = xx * yy - xy * yx
  const [a, b, c, d] = [yy / area, -xy / area, -yx / area, xx / area]
  return { xx: a, xy: b, x0: -(a * x0 + b * y0), yx: c, yy: d, y0: -(c * x0 + d * y0) }
}

export interface WarpOptions {
  readonly size: { readonly width: number; readonly height: number }
  /** From pixels of the result to pixels of the picture, both continuous: pixel i covers i to i + 1. */
  readonly toPicture: Affine
  /** Factors of red, green and blue; what lies outside the picture keeps its colour. */
  readonly colours: Colour
  /** Colour of what lies outside the picture. */
  readonly fill: Colour
}

/** How far samples may lie apart, in pixels of the picture; each of them reaches a whole pixel to all sides. */
const sampleSpacing = 1.25
/** Most samples along one axis of a pixel: beyond, a pixel of the result shows more than any picture is worth. */
const mostSamples = 64

/**
 * Shows a picture through an affine transformation. A pixel of the result is the mean of as many evenly spaced bilinear
 * samples along each axis as it takes to miss no pixel of the picture, so that fine patterns turn grey where the picture
 * shrinks and do not become coarse ones.
 *
 * @returns [height, width, 3] uint8
 */
export function warpPicture(picture: Picture, { size, toPicture, colours, fill }: WarpOptions): Uint8Array {
  const across = samplesAlong(Math.hypot(toPicture.xx, toPicture.yx))
  const down = samplesAlong(Math.hypot(toPicture.xy, toPicture.yy))
  const share = 1 / (across * down)
  const sums = new Float64Array(4 * size.width)
  const warped = new Uint8Array(size.width * size.height * 3)
  for (let row = 0, out = 0; row < size.height; row++) {
    sums.fill(0)
    for (let line = 0; line < down; line++) {
      addSamples(picture, toPicture, row + (line + 0.5) / down, across, sums)
    }
    for (let sum = 0; sum < sums.length; sum += 4) {
      const outside = 1 - at(sums, sum + 3) * share
      for (let channel = 0; channel < 3; channel++, out++) {
        const shown = at(sums, sum + channel) * share * (colours[channel] as number)
        warped[out] = toByte(shown + outside * (fill[channel] as number))
      }
    }
  }
  return warped
}

/**
 * Adds samples along one line of the result to its pixels.
 *
 * @param v of the line, in pixels of the result
 * @param perPixel how many samples each pixel gets
 * @param sums [width, 4]: red, green, blue, and how much of the samples lies inside the picture
 */
function addSamples(
  { width, height, pixels }: Picture,
  { xx, xy, x0, yx, yy, y0 }: Affine,
  v: number,
  perPixel: number,
  sums: Float64Array,
): void {
  const rowLength = width * 3
  const stepX = xx / perPixel
  const stepY = yx / perPixel
  // Pixel i stands for its middle, i + 0.5.
  const startX = 0.5 * stepX + xy * v + x0 - 0.5
  const startY = 0.5 * stepY + yy * v + y0 - 0.5
  for (let sum = 0, sample = 0; sum < sums.length; sum += 4) {
    let red = 0
    let green = 0
    let blue = 0
    let inside = 0
    for (const end = sample + perPixel; sample < end; sample++) {
      const x = startX + sample * stepX
      const y = startY + sample * stepY
      if (!(x > -1 && y > -1 && x < width && y < height)) continue
      const left = Math.floor(x)
      const top = Math.floor(y)
      // Of the four pixels around, those outside the picture weigh nothing; any other stands for them.
      const fromRight = left + 1 < width ? x - left : 0
      const fromLeft = left < 0 ? 0 : 1 - (x - left)
      const fromBelow = top + 1 < height ? y - top : 0
      const fromAbove = top < 0 ? 0 : 1 - (y - top)
      const aboveLeft = fromAbove * fromLeft
      const aboveRight = fromAbove * fromRight
      const belowLeft = fromBelow * fromLeft
      const belowRight = fromBelow * fromRight
      const a = (top < 0 ? 0 : top) * rowLength + (left < 0 ? 0 : left) * 3
      const b = fromRight === 0 || left < 0 ? a : a + 3
      const c = fromBelow === 0 || top < 0 ? a : a + rowLength
      const d = c + b - a
      red += aboveLeft * at(pixels, a) + aboveRight * at(pixels, b) + belowLeft * at(pixels, c)
      red += belowRight * at(pixels, d)
      green += aboveLeft * at(pixels, a + 1) + aboveRight * at(pixels, b + 1) + belowLeft * at(pixels, c + 1)
      green += belowRight * at(pixels, d + 1)
      blue += aboveLeft * at(pixels, a + 2) + aboveRight * at(pixels, b + 2) + belowLeft * at(pixels, c + 2)
      blue += belowRight * at(pixels, d + 2)
      inside += aboveLeft + aboveRight + belowLeft + belowRight
    }
    sums[sum] = at(sums, sum) + red
    sums[sum + 1] = at(sums, sum + 1) + green
    sums[sum + 2] = at(sums, sum + 2) + blue
    sums[sum + 3] = at(sums, sum + 3) + inside
  }
}

/** @param step pixels of the picture that one pixel of the result is long */
function samplesAlong(step: number): number {
  return Math.min(mostSamples, Math.max(1, Math.ceil(step / sampleSpacing - 1e-9)))
}

function at(values: ArrayLike<number>, index: number): number {
  return values[index] as number
}

function toByte(value: number): number {
  return value >= 255 ? 255 : Math.floor(value + 0.5)
}
