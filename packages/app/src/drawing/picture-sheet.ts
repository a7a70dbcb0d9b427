import sharp from "sharp"
import { fontFamily } from "../report/fonts.ts"
import { escapeHtml } from "../report/markup.ts"
import { renderPng } from "../report/render-png.ts"
import { classColour } from "./class-colours.ts"
import { type BoxedPicture, drawTile, fitInto } from "./draw-picture.ts"
import { bodySides, sideColours } from "./skeleton-svg.ts"

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

const gap = 10
const captionHeight = 22
const captionSize = 12
const legendSize = 13
const legendHeight = 24
const letterWidth = 0.62
const ink = "#1f2933"

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

interface LegendEntry {
  readonly name: string
  readonly colour: string
}

/** What the colours of boxes and skeletons mean. */
function legendOf(cells: readonly SheetCell[], classNames: readonly string[]): LegendEntry[] {
  const used = [...new Set(cells.flatMap(({ boxes }) => boxes.map(({ classIndex }) => classIndex)))]
  const classes = used
    .toSorted((a, b) => a - b)
    .map((classIndex) => ({ name: classNames[classIndex] ?? String(classIndex), colour: classColour(classIndex) }))
  const hasPeople = cells.some(({ skeletons = [] }) => skeletons.length > 0)
  return hasPeople ? [...classes, ...bodySides.map((side) => ({ name: side, colour: sideColours[side] }))] : classes
}

/** Names with a patch of their colour, in as many lines as they need. */
function legendSvg(legend: readonly LegendEntry[], width: number) {
  let [left, line] = [gap, 0]
  const entries = legend.map(({ name: full, colour }) => {
    const name = shorten(full, width - 2 * gap - 24, legendSize)
    const entryWidth = 24 + [...name].length * legendSize * letterWidth + 14
    if (left > gap && left + entryWidth > width - gap) [left, line] = [gap, line + 1]
    const top = gap + line * legendHeight
    const patch = `<rect x="${left}" y="${top}" width="16" height="16" fill="${colour}" stroke="#000000" stroke-opacity="0.55"/>`
    const letters = `<text x="${left + 22}" y="${top + legendSize}" font-family="${fontFamily}" font-size="${legendSize}" fill="${ink}">${escapeHtml(name)}</text>`
    left += entryWidth
    return `${patch}${letters}`
  })
  return { svg: entries.join(""), height: legend.length === 0 ? 0 : (line + 1) * legendHeight }
}

function text(caption: string, x: number, y: number, width: number): string {
  const shown = escapeHtml(shorten(caption, width, captionSize))
  return `<text x="${x}" y="${y}" font-family="${fontFamily}" font-size="${captionSize}" fill="${ink}" text-anchor="middle">${shown}</text>`
}

/** As much of a text as fits into a width; the end of a path says more than its start. */
function shorten(full: string, width: number, fontSize: number): string {
  const letters = [...full.replace(/\p{Cc}/gu, " ")]
  const most = Math.max(2, Math.floor(width / (fontSize * letterWidth)))
  return letters.length > most ? `…${letters.slice(letters.length - most + 1).join("")}` : letters.join("")
}
