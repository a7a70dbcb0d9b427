import type { Box } from "@learnloss/learn"

/** Where a label stands on a picture. */
export interface LabelPlace {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  /** Whether it covers another label. */
  readonly isCrowded: boolean
}

interface Size {
  readonly width: number
  readonly height: number
}

/**
 * Finds a place for the label of a box: above its upper edge, below the lower one, or inside at one of its corners; the
 * first that lies in the picture and covers neither another label nor a small box, else the first that covers no label.
 * When there is none, it stands inside at the upper left.
 *
 * @param smallBoxes boxes that a label could hide
 */
export function placeLabel(
  picture: Size,
  box: Box,
  label: Size,
  taken: readonly LabelPlace[],
  smallBoxes: readonly Box[] = [],
): LabelPlace {
  const [x1, y1, x2, y2] = box
  const [atLeft, atRight] = [x1, x2 - label.width]
  const [above, below] = [y1 - label.height, y2]
  const corners = [
    { left: atLeft, top: above },
    { left: atLeft, top: y1 },
    { left: atLeft, top: below },
    { left: atRight, top: above },
    { left: atRight, top: y1 },
    { left: atLeft, top: y2 - label.height },
    { left: atRight, top: y2 - label.height },
    { left: atRight, top: below },
  ]
  const free = corners
    .filter(({ top }) => top >= 0 && top + label.height <= picture.height)
    .map(({ left, top }) => ({ left: clamp(left, 0, picture.width - label.width), top, ...label, isCrowded: false }))
    .filter((place) => !taken.some((other) => overlaps(place, cornersOf(other))))
  const best = free.find((place) => !smallBoxes.some((small) => overlaps(place, small))) ?? free[0]
  if (best !== undefined) return best
  return {
    left: clamp(atLeft, 0, picture.width - label.width),
    top: clamp(y1, 0, picture.height - label.height),
    ...label,
    isCrowded: true,
  }
}

function cornersOf({ left, top, width, height }: LabelPlace): Box {
  return [left, top, left + width, top + height]
}

function overlaps({ left, top, width, height }: LabelPlace, [x1, y1, x2, y2]: Box): boolean {
  return left < x2 && x1 < left + width && top < y2 && y1 < top + height
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most))
}
