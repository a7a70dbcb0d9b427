import { InternalError } from "@learnloss/engine"
import type { ImageShape } from "@learnloss/learn"
import sharp from "sharp"
import { fontFamily } from "./fonts.ts"
import { formatScore } from "./format.ts"
import { escapeHtml } from "./markup.ts"
import { renderPng } from "./render-png.ts"

const mostImages = 24
const columns = 6
/** Smaller images are enlarged by a whole factor to at least `leastSide` pixels, larger ones shrunk to `mostSide`. */
const leastSide = 72
const mostSide = 128
const gap = 8
const captionHeight = 40
/** A cell is at least this wide, so that captions fit under narrow images. */
const leastCellWidth = 96
const captionSize = 12

/** An image of a contact sheet. */
export interface SheetImage {
  readonly label: string
  readonly score: number | null
  /** [C, H, W] uint8. */
  readonly pixels: Uint8Array
}

/**
 * Draws the first 24 picked images as one PNG, each with its label and score under it.
 *
 * @param shape of every image; one channel is grey, three are red, green and blue.
 */
export async function contactSheet(picked: readonly SheetImage[], shape: ImageShape): Promise<Uint8Array> {
  if (shape.channels !== 1 && shape.channels !== 3) {
    throw new InternalError(`no picture of ${shape.channels} channels`)
  }
  const shown = picked.slice(0, mostImages)
  const tile = tileSize(shape)
  const cellWidth = Math.max(tile.width, leastCellWidth)
  const cells = shown.map((image, index) => ({
    image,
    left: gap + (index % columns) * (cellWidth + gap),
    top: gap + Math.floor(index / columns) * (tile.height + captionHeight),
  }))
  const width = gap + Math.min(columns, Math.max(2, shown.length)) * (cellWidth + gap)
  const height = gap + Math.max(1, Math.ceil(shown.length / columns)) * (tile.height + captionHeight)

  const captions = cells.map(({ image, left, top }) => {
    const centre = left + cellWidth / 2
    const below = top + tile.height
    const score = image.score === null ? "" : formatScore(image.score)
    return `${line(image.label, centre, below + captionSize + 2, "#1f2933", cellWidth)}${line(score, centre, below + 2 * captionSize + 4, "#5b6773", cellWidth)}`
  })
  const nothing = shown.length === 0 ? line("no images were picked", width / 2, height / 2, "#5b6773", width) : ""
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${captions.join("")}${nothing}</svg>`

  const tiles = cells.map(async ({ image, left, top }) => ({
    input: await drawTile(image.pixels, shape, tile),
    left: Math.round(left + (cellWidth - tile.width) / 2),
    top,
  }))
  return await sharp({ create: { width, height, channels: 3, background: "white" } })
    .composite([...(await Promise.all(tiles)), { input: Buffer.from(renderPng(text, 1)), left: 0, top: 0 }])
    .png({ compressionLevel: 9 })
    .toBuffer()
}

function tileSize({ width, height }: ImageShape): { width: number; height: number } {
  const side = Math.max(width, height)
  const factor = side > mostSide ? mostSide / side : Math.ceil(leastSide / side)
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) }
}

async function drawTile(
  planes: Uint8Array,
  { channels, width, height }: ImageShape,
  tile: { width: number; height: number },
): Promise<Buffer> {
  const area = width * height
  const interleaved = Buffer.alloc(area * channels) // [H, W, C]
  for (let channel = 0; channel < channels; channel++) {
    for (let pixel = 0; pixel < area; pixel++) {
      interleaved[pixel * channels + channel] = planes[channel * area + pixel] ?? 0
    }
  }
  const kernel = tile.width >= width ? "nearest" : "lanczos3"
  const raw = { width, height, channels: channels === 1 ? 1 : 3 } as const
  return await sharp(interleaved, { raw }).resize(tile.width, tile.height, { kernel, fit: "fill" }).png().toBuffer()
}

function line(text: string, x: number, y: number, colour: string, width: number): string {
  const letters = [...text]
  const most = Math.floor(width / (captionSize * 0.6))
  const shown = letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text
  const escaped = escapeHtml(shown.replace(/\p{Cc}/gu, " "))
  return `<text x="${x}" y="${y}" font-family="${fontFamily}" font-size="${captionSize}" fill="${colour}" text-anchor="middle">${escaped}</text>`
}
