import type { Box } from "../../data/boxes.ts"
import type { ImageOfClass } from "./group-by-class.ts"
import { outcome } from "./precision-envelope.ts"

/** An object as COCO's evaluation sees it. */
export interface CocoTruth {
  readonly classIndex: number
  readonly box: Box
  /** A region of many objects: any number of detections may lie in it, and none of them counts. */
  readonly isCrowd: boolean
  /** Of the object in square pixels, by which its size is judged; of its box unless told. */
  readonly area?: number
}

const leastOverlap = 0.5

/** Overlaps that an object must have to count as found: 0.5, 0.55, ..., 0.95, to the bits of numpy's linspace. */
export const overlapThresholds: readonly number[] = Array.from({ length: 10 }, (_, index) =>
  index === 9 ? 0.95 : leastOverlap + index * ((0.95 - leastOverlap) / 9),
)

/** Sizes of objects, from and to this area in square pixels. */
export const areaRanges = {
  all: [0, 1e10],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, 1e10],
} as const satisfies Record<string, readonly [number, number]>

export type AreaRange = readonly [from: number, to: number]

/** How the detections of one image and class lie on its objects. */
export interface Overlaps {
  /** [detections, truths]: intersection over union, or over the detection's own area where the object is a crowd. */
  readonly shares: Float64Array
  /** Detections that overlap an object enough for some threshold; most do not. */
  readonly near: readonly number[]
}

/** How each detection lies on each object. */
export function overlapsOf({ detections, truths }: ImageOfClass<CocoTruth>): Overlaps {
  const shares = new Float64Array(detections.length * truths.length)
  const near: number[] = []
  for (const [index, { box }] of detections.entries()) {
    let largest = 0
    for (const [column, truth] of truths.entries()) {
      const other = truth.box
      const width = Math.min(box[2], other[2]) - Math.max(box[0], other[0])
      const height = Math.min(box[3], other[3]) - Math.max(box[1], other[1])
      if (width <= 0 || height <= 0) continue
      const shared = width * height
      const share = shared / (truth.isCrowd ? areaOf(box) : areaOf(box) + areaOf(other) - shared)
      shares[index * truths.length + column] = share
      largest = Math.max(largest, share)
    }
    if (largest >= leastOverlap) near.push(index)
  }
  return { shares, near }
}

/** Whether an object does not have to be found: a crowd, or one of another size. */
export function isIgnored(truth: CocoTruth, range: AreaRange): boolean {
  return truth.isCrowd || isOutside(truth.area ?? areaOf(truth.box), range)
}

/** What becomes of a detection without an object: wrong, but not counted when its size lies outside the range. */
export function withoutObject(area: number, range: AreaRange): number {
  return isOutside(area, range) ? outcome.notCounted : outcome.wrong
}

/**
 * Gives the detections of one image and class, highest score first, to its objects, as pycocotools' `evaluateImg`: each
 * takes the free object that it overlaps most, the last of equals, if it overlaps it by the threshold. It takes one that
 * does not have to be found only where no other is left, and then it is not counted; a crowd stays free.
 *
 * @param outcomes for each of `overlapThresholds` what becomes of the detections, from `start` on; those that take an object
 *   are written
 */
export function matchImage(
  truths: readonly CocoTruth[],
  { shares, near }: Overlaps,
  range: AreaRange,
  outcomes: readonly Uint8Array[],
  start: number,
): void {
  if (near.length === 0) return
  const ignored = truths.map((truth) => isIgnored(truth, range))
  // Those to be found come first; both kinds in the order given.
  const order = [...truths.keys()].sort((a, b) => Number(ignored[a]) - Number(ignored[b]))
  const isTaken = new Uint8Array(truths.length)
  for (const [index, threshold] of overlapThresholds.entries()) {
    const into = outcomes[index] as Uint8Array
    isTaken.fill(0)
    for (const detection of near) {
      let largest = threshold
      let nearest = -1
      for (const truth of order) {
        if (isTaken[truth] === 1 && !(truths[truth] as CocoTruth).isCrowd) continue
        if (nearest !== -1 && ignored[truth] && !ignored[nearest]) break
        const overlap = shares[detection * truths.length + truth] as number
        if (overlap < largest) continue
        largest = overlap
        nearest = truth
      }
      if (nearest === -1) continue
      isTaken[nearest] = 1
      into[start + detection] = ignored[nearest] ? outcome.notCounted : outcome.right
    }
  }
}

/** In the unit of the corners, squared. */
export function areaOf(box: Box): number {
  return (box[2] - box[0]) * (box[3] - box[1])
}

function isOutside(area: number, [from, to]: AreaRange): boolean {
  return area < from || area > to
}
