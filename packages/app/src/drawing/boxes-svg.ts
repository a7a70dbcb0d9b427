import type { Box } from "@learnloss/learn"
import { fontFamily } from "../report/fonts.ts"
import { escapeHtml } from "../report/markup.ts"
import { classColour, inkOn } from "./class-colours.ts"
import { type LabelPlace, placeLabel } from "./place-label.ts"

/** A box as it is drawn over a picture. */
export interface DrawnBox {
  readonly classIndex: number
  /** In pixels of the picture as it is drawn. */
  readonly box: Box
  /** Name of the class, maybe with a score. */
  readonly label: string
  /** Drawn in dashes: difficult objects. */
  readonly isDashed?: boolean
}

export interface BoxStyle {
  /** Height of letters in pixels. */
  readonly fontSize: number
  readonly lineWidth: number
  /**
   * Whether labels are left out that find no free place, and among many boxes those that would hide a good part of their
   * own; where the colours are explained elsewhere.
   */
  readonly dropsCrowdedLabels: boolean
}

/** Letters of the bold font are at most about this wide, in font sizes. */
const letterWidth = 0.68
const labelPadding = 2
/** Boxes below this many font sizes could vanish behind a label. */
const smallBoxHeights = 3
/** From more boxes than this on a picture is crowded. */
const fewBoxes = 6
/** A label of a larger share of its box hides it. */
const largestLabelShare = 1 / 3

/**
 * Boxes with their labels as SVG elements over a picture of this size, which none of them leaves. Lines lie inside their
 * box, with a dark rim so that they are seen on any ground; large boxes are drawn first, so that small ones lie on top.
 */
export function boxesSvg(
  size: { readonly width: number; readonly height: number },
  boxes: readonly DrawnBox[],
  style: BoxStyle,
): string {
  const drawn = boxes.toSorted((a, b) => areaOf(b.box) - areaOf(a.box))
  const rectangles = drawn.map((box) => rectangleSvg(box, style))
  const taken: LabelPlace[] = []
  const leastSide = smallBoxHeights * style.fontSize
  const smallBoxes = boxes.map(({ box }) => box).filter(([x1, y1, x2, y2]) => Math.max(x2 - x1, y2 - y1) < leastSide)
  // What a network is surest of comes first and finds the best places.
  const labels = boxes.map((box) => {
    const text = [...box.label.replace(/\p{Cc}/gu, " ")]
    const most = Math.max(1, Math.floor((size.width - 2 * labelPadding) / (style.fontSize * letterWidth)))
    const shown = text.length > most ? `${text.slice(0, most - 1).join("")}…` : text.join("")
    const width = [...shown].length * style.fontSize * letterWidth + 2 * labelPadding
    const label = { width: Math.min(width, size.width), height: style.fontSize + 2 * labelPadding }
    const isLarge = label.width * label.height > largestLabelShare * areaOf(box.box)
    if (style.dropsCrowdedLabels && boxes.length > fewBoxes && isLarge) return ""
    const place = placeLabel(size, box.box, label, taken, smallBoxes)
    if (place.isCrowded && style.dropsCrowdedLabels) return ""
    taken.push(place)
    return labelSvg(shown, box.classIndex, place, style)
  })
  return [...rectangles, ...labels].join("")
}

function rectangleSvg({ box: [x1, y1, x2, y2], classIndex, isDashed }: DrawnBox, { lineWidth }: BoxStyle): string {
  const inset = Math.min(lineWidth / 2, (x2 - x1) / 2, (y2 - y1) / 2)
  const place = `x="${round(x1 + inset)}" y="${round(y1 + inset)}" width="${round(x2 - x1 - 2 * inset)}" height="${round(y2 - y1 - 2 * inset)}"`
  const dashes = isDashed === true ? ` stroke-dasharray="${3 * lineWidth} ${2 * lineWidth}"` : ""
  const line = (colour: string, width: number, opacity: number) =>
    `<rect ${place} fill="none" stroke="${colour}" stroke-width="${width}" stroke-opacity="${opacity}"${dashes}/>`
  return `${line("#000000", lineWidth + 1.5, 0.55)}${line(classColour(classIndex), lineWidth, 1)}`
}

function labelSvg(text: string, classIndex: number, place: LabelPlace, { fontSize }: BoxStyle): string {
  const colour = classColour(classIndex)
  const { left, top, width, height } = place
  const ground = `<rect x="${round(left)}" y="${round(top)}" width="${round(width)}" height="${round(height)}" fill="${colour}" fill-opacity="0.85"/>`
  const baseline = top + labelPadding + 0.82 * fontSize
  const letters = `<text x="${round(left + width / 2)}" y="${round(baseline)}" text-anchor="middle" font-family="${fontFamily}" font-weight="bold" font-size="${fontSize}" fill="${inkOn(colour)}">${escapeHtml(text)}</text>`
  return `${ground}${letters}`
}

function areaOf([x1, y1, x2, y2]: Box): number {
  return (x2 - x1) * (y2 - y1)
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
