import sharp from "sharp"
import { fontFamily } from "../report/fonts.ts"
import { escapeHtml } from "../report/markup.ts"
import { renderPng } from "../report/render-png.ts"
import { classColour } from "./class-colours.ts"
import { type BoxedPicture, drawTile, fitInto } from "./draw-picture.ts"
import { gap, ink, type LegendEntry, legendSvg, shorten, skeletonLegend } from "./legend.ts"

/** One picture of a sheet. */
export interface SheetCell extends BoxedPicture {
  /** What stands under it. */
  readonly caption: string
}

export interface SheetOptions {
  readonly columns: number
  /** Longest side of each picture as it is drawn, in pixels. */
  readonly side: number
  /** Of all classes; the colours of those that are drawn are explained above the pictures. */
  readonly classNames: readonly string[]
}

const captionHeight = 22
const captionSize = 12

/** Draws several pictures with their boxes and skeletons side by side, with what colours mean above, as one PNG. */
export async function pictureSheet(cells: readonly SheetCell[], options: SheetOptions): Promise<Uint8Array> {
  const { side } = options
  const columns = Math.min(options.columns, Math.max(1, cells.length))
  const width = gap + columns * (side + gap)
  const legend = legendSvg(legendOf(cells, options.classNames), width)
  const tiles = cells.map(({ picture }) => fitInto(picture, side))
  // Rows are as high as their highest picture.
  const rowHeights = Array.from({ length: Math.ceil(cells.length / columns) }, (_, row) =>
    Math.max(...tiles.slice(row * columns, (row + 1) * columns).map(({ height }) => height)),
  )
  const rowTop = (row: number) =>
    gap + legend.height + rowHeights.slice(0, row).reduce((sum, height) => sum + height + captionHeight + gap, 0)
  const placed = cells.map((cell, index) => {
    const tile = tiles[index] as { width: number; height: number }
    const column = index % columns
    const row = Math.floor(index / columns)
    return {
      cell,
      tile,
      left: gap + column * (side + gap) + Math.floor((side - tile.width) / 2),
      top: rowTop(row) + Math.floor(((rowHeights[row] as number) - tile.height) / 2),
      captionX: gap + column * (side + gap) + side / 2,
      captionY: rowTop(row) + (rowHeights[row] as number) + captionSize + 4,
    }
  })
  const captions = placed.map(({ cell, captionX, captionY }) => text(cell.caption, captionX, captionY, side))
  const height = rowTop(rowHeights.length)
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${legend.svg}${captions.join("")}</svg>`
  const style = { fontSize: 11, lineWidth: 2, dropsCrowdedLabels: true }
  const drawn = await Promise.all(
    placed.map(async ({ cell, tile, left, top }) => ({
      input: await drawTile(cell, tile, style),
      raw: { ...tile, channels: 3 as const },
      left,
      top,
    })),
  )
  return await sharp({ create: { width, height, channels: 3, background: "white" } })
    .composite([...drawn, { input: Buffer.from(renderPng(svg, 1)), left: 0, top: 0 }])
    .removeAlpha()
    .png({ compressionLevel: 9 })
    .toBuffer()
}

/** What the colours of boxes and skeletons mean. */
function legendOf(cells: readonly SheetCell[], classNames: readonly string[]): LegendEntry[] {
  const used = [...new Set(cells.flatMap(({ boxes }) => boxes.map(({ classIndex }) => classIndex)))]
  const classes = used
    .toSorted((a, b) => a - b)
    .map((classIndex) => ({ name: classNames[classIndex] ?? String(classIndex), colour: classColour(classIndex) }))
  return [...classes, ...skeletonLegend(cells.flatMap(({ skeletons = [] }) => skeletons))]
}

function text(caption: string, x: number, y: number, width: number): string {
  const shown = escapeHtml(shorten(caption, width, captionSize))
  return `<text x="${x}" y="${y}" font-family="${fontFamily}" font-size="${captionSize}" fill="${ink}" text-anchor="middle">${shown}</text>`
}
