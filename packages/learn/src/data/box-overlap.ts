import type { Box } from "./boxes.ts"

/** In the unit of the corners, squared. */
export function areaOf([x1, y1, x2, y2]: Box): number {
  return (x2 - x1) * (y2 - y1)
}

/** Area that lies in both boxes; zero when they do not touch. */
export function sharedAreaOf(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0])
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1])
  return width > 0 && height > 0 ? width * height : 0
}

/** Overlap of two boxes: the area that they share over the area that they cover together, 0..1. */
export function overlapOf(a: Box, b: Box): number {
  const shared = sharedAreaOf(a, b)
  return shared === 0 ? 0 : shared / (areaOf(a) + areaOf(b) - shared)
}
