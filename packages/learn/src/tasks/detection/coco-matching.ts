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

/** Overlaps that an object must have to count as found: 0.5, 0.55, ..., 0.95, to the bits that numpy's linspace gives. */
export const overlapThresholds: readonly number[] = Array.from({ length: 10 }, (_, index) =>
  index === 9 ? 0.95 : 0.5 + index * ((0.95 - 0.5) / 9),
)

/** Sizes of objects, from and to this area in square pixels. */
export const areaRanges = {
  all: [0, 1e10],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, 1e10],
} as const satisfies Record<string, readonly [number, number]>

export type AreaRange = readonly [from: number, to: number]

/**
 * Shares of each detection in each object, [detections, truths]: intersection over union, or over the detection's own area
 * where the object is a crowd.
 */
export function overlapsOf({ detections, truths }: ImageOfClass<CocoTruth>): Float64Array {
  const overlaps = new Float64Array(detections.length * truths.length)
  let at = 0
  for (const { box } of detections) {
    for (const truth of truths) {
      const other = truth.box
      const width = Math.min(box[2], other[2]) - Math.max(box[0], other[0])
      const height = Math.min(box[3], other[3]) - Math.max(box[1], other[1])
      if (width > 0 && height > 0) {
        const shared = width * height
        overlaps[at] = shared / (truth.isCrowd ? areaOf(box) : areaOf(box) + areaOf(other) - shared)
      }
      at++
    }
  }
  return overlaps
}

/** Whether an object does not have to be found: a crowd, or one of another size. */
export function isIgnored(truth: CocoTruth, range: AreaRange): boolean {
  return truth.isCrowd || isOutside(truth.area ?? areaOf(truth.box), range)
}

/**
 * Gives the detections of one image and class, highest score first, to its objects, as pycocotools' `evaluateImg`: each
 * takes the free object that it overlaps most, the last of equals, if it overlaps it by the threshold. It takes one that
 * does not have to be found only where no other is left, and then it is not counted; a crowd stays free. A detection
 * without an object is wrong, but not counted when its size lies outside the range.
 *
 * @param overlaps as `overlapsOf`
 * @param outcomes for each of `overlapThresholds` where what became of the detections is written, from `start` on
 */
export function matchImage(
  { detections, truths }: ImageOfClass<CocoTruth>,
  overlaps: Float64Array,
  range: AreaRange,
  outcomes: readonly Uint8Array[],
  start: number,
): void {
  const ignored = truths.map((truth) => isIgnored(truth, range))
  // Those to be found come first; both kinds in the order given.
  const order = [...truths.keys()].sort((a, b) => Number(ignored[a]) - Number(ignored[b]))
  const otherwise = detections.map(({ box }) => (isOutside(areaOf(box), range) ? outcome.notCounted : outcome.wrong))
  const isTaken = new Uint8Array(truths.length)
  for (const [index, threshold] of overlapThresholds.entries()) {
    const into = outcomes[index] as Uint8Array
    isTaken.fill(0)
    for (let detection = 0; detection < detections.length; detection++) {
      let largest = threshold
      let nearest = -1
      for (const truth of order) {
        if (isTaken[truth] === 1 && !(truths[truth] as CocoTruth).isCrowd) continue
        if (nearest !== -1 && ignored[truth] && !ignored[nearest]) break
        const overlap = overlaps[detection * truths.length + truth] as number
        if (overlap < largest) continue
        largest = overlap
        nearest = truth
      }
      if (nearest === -1) {
        into[start + detection] = otherwise[detection] as number
      } else {
        isTaken[nearest] = 1
        into[start + detection] = ignored[nearest] ? outcome.notCounted : outcome.right
      }
    }
  }
}

function areaOf(box: Box): number {
  return (box[2] - box[0]) * (box[3] - box[1])
}

function isOutside(area: number, [from, to]: AreaRange): boolean {
  return area < from || area > to
}
