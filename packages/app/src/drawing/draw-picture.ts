import type { Box, Picture } from "@learnloss/learn"
import sharp from "sharp"
import { renderPng } from "../report/render-png.ts"
import { type BoxStyle, boxesSvg, type DrawnBox } from "./boxes-svg.ts"
import { gap, type LegendEntry, legendSvg } from "./legend.ts"
import { type DrawnSkeleton, scaleSkeleton, skeletonsSvg } from "./skeleton-svg.ts"

/** A picture with boxes and people in its own pixels. */
export interface BoxedPicture {
  readonly picture: Picture
  readonly boxes: readonly DrawnBox[]
  readonly skeletons?: readonly DrawnSkeleton[]
}

/** Longest side of a picture that is drawn alone. */
const longestAlone = 1600

/**
 * Draws boxes and skeletons over a picture in its own size (at most 1,600 pixels), letters and lines growing with it.
 *
 * @param legend what colours mean; it stands below the picture, so that places in it stay as they are
 * @returns a PNG
 */
export async function drawPicture(drawn: BoxedPicture, legend: readonly LegendEntry[] = []): Promise<Uint8Array> {
  const { picture } = drawn
  const longest = Math.max(picture.width, picture.height)
  // Letters need some pixels: tiny pictures are enlarged.
  const tile = fitInto(picture, Math.min(Math.max(longest, 320), longestAlone))
  const side = Math.max(tile.width, tile.height)
  const style = {
    fontSize: Math.max(11, Math.round(side / 55)),
    lineWidth: Math.max(2, Math.round(side / 320)),
    dropsCrowdedLabels: false,
  }
  const shown = await drawTile(drawn, tile, style)
  const picturePng = sharp(shown, { raw: { ...tile, channels: 3 } })
  if (legend.length === 0) return await picturePng.png({ compressionLevel: 9 }).toBuffer()
  const growth = Math.max(1, style.fontSize / 16)
  const { svg, height } = legendSvg(legend, tile.width / growth)
  const below = Math.ceil((height + gap) * growth)
  const strip = `<svg xmlns="http://www.w3.org/2000/svg" width="${tile.width}" height="${below}"><g transform="scale(${growth})">${svg}</g></svg>`
  return await picturePng
    .extend({ bottom: below, background: "white" })
    .composite([{ input: Buffer.from(renderPng(strip, 1)), left: 0, top: tile.height }])
    .removeAlpha()
    .png({ compressionLevel: 9 })
    .toBuffer()
}

/** A picture's size when its longer side is brought to `side` pixels. */
export function fitInto({ width, height }: Picture, side: number): { width: number; height: number } {
  const factor = side / Math.max(width, height)
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) }
}

/** Pixels [H, W, 3] of a picture with what is drawn over it, brought to a size. */
export async function drawTile(
  { picture, boxes, skeletons = [] }: BoxedPicture,
  tile: { readonly width: number; readonly height: number },
  style: BoxStyle,
): Promise<Buffer> {
  const raw = { width: picture.width, height: picture.height, channels: 3 } as const
  const kernel = tile.width > 2 * picture.width ? "nearest" : "lanczos3"
  const ground = sharp(picture.pixels, { raw }).resize(tile.width, tile.height, { fit: "fill", kernel })
  const [across, down] = [tile.width / picture.width, tile.height / picture.height]
  const scaled = boxes.map((drawn) => ({ ...drawn, box: scale(drawn.box, across, down) }))
  const people = skeletons.map((skeleton) => scaleSkeleton(skeleton, across, down))
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${tile.width}" height="${tile.height}">${skeletonsSvg(people, style)}${boxesSvg(tile, scaled, style)}</svg>`
  return await ground
    .composite([{ input: Buffer.from(renderPng(svg, 1)), left: 0, top: 0 }])
    .removeAlpha()
    .raw()
    .toBuffer()
}

function scale([x1, y1, x2, y2]: Box, across: number, down: number): Box {
  return [x1 * across, y1 * down, x2 * across, y2 * down]
}
