import { areaOf, overlapOf, sharedAreaOf } from "../../data/box-overlap.ts"
import type { Box } from "../../data/boxes.ts"
import { boxAt } from "./box-at.ts"
import { outcome } from "./precision-envelope.ts"

/** An object as COCO's evaluation sees it. */
export interface CocoTruth {
  readonly classIndex: number
  readonly box: Box
  /** A region of many objects: any number of detections may lie in it, and none of them counts. */
  readonly isCrowd: boolean
  /** One that counts neither as found nor as missed: it may be found once, by the overlap of any other object. */
  readonly isDifficult?: boolean
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

/** How detections of one image and class lie on its objects. */
export interface Overlaps {
  /** Detections that overlap an object enough for some threshold; most do not. Best first. */
  readonly near: readonly number[]
  /** Of those, [near, truths]: intersection over union, or over the detection's area where the object is a crowd. */
  readonly shares: readonly (readonly number[])[]
}

/** How the detections from `start` to before `end` lie on each object. */
export function overlapsOf(corners: Float64Array, start: number, end: number, truths: readonly CocoTruth[]): Overlaps {
  const near: number[] = []
  const shares: number[][] = []
  for (let detection = start; truths.length > 0 && detection < end; detection++) {
    const box = boxAt(corners, detection)
    const ofTruths = truths.map((truth) => shareOf(box, truth))
    if (!ofTruths.some((share) => share >= leastOverlap)) continue
    near.push(detection)
    shares.push(ofTruths)
  }
  return { near, shares }
}

function shareOf(box: Box, { box: other, isCrowd }: CocoTruth): number {
  if (!isCrowd) return overlapOf(box, other)
  const shared = sharedAreaOf(box, other)
  return shared === 0 ? 0 : shared / areaOf(box)
}

/** Whether an object does not have to be found: a crowd, a difficult one, or one of another size. */
export function isIgnored(truth: CocoTruth, range: AreaRange): boolean {
  return truth.isCrowd || truth.isDifficult === true || isOutside(truth.area ?? areaOf(truth.box), range)
}

/** What becomes of a detection without an object: wrong, but not counted when its size lies outside the range. */
export function withoutObject(area: number, range: AreaRange): number {
  return isOutside(area, range) ? outcome.notCounted : outcome.wrong
}

/**
 * Gives the detections of one image and class, highest score first, to its objects, as pycocotools' `evaluateImg`: each
 * takes the free object that it overlaps most, the last of equals, if it overlaps it by the threshold. It takes one
 * that does not have to be found only where no other is left, and then it is not counted; a crowd stays free.
 *
 * @param outcomes for each of `overlapThresholds` what becomes of the detections; those that take an object are written
 */
export function matchImage(
  truths: readonly CocoTruth[],
  { near, shares }: Overlaps,
  range: AreaRange,
  outcomes: readonly Uint8Array[],
): void {
  if (near.length === 0) return
  const ignored = truths.map((truth) => isIgnored(truth, range))
  // Those to be found come first; both kinds in the order given.
  const order = [...truths.keys()].sort((a, b) => Number(ignored[a]) - Number(ignored[b]))
  const isTaken = new Uint8Array(truths.length)
  for (const [index, threshold] of overlapThresholds.entries()) {
    const into = outcomes[index] as Uint8Array
    isTaken.fill(0)
    for (const [row, detection] of near.entries()) {
      const ofTruths = shares[row] as readonly number[]
      let largest = threshold
      let nearest = -1
      for (const truth of order) {
        if (isTaken[truth] === 1 && !(truths[truth] as CocoTruth).isCrowd) continue
        if (nearest !== -1 && ignored[truth] && !ignored[nearest]) break
        const overlap = ofTruths[truth] as number
        if (overlap < largest) continue
        largest = overlap
        nearest = truth
      }
      if (nearest === -1) continue
      isTaken[nearest] = 1
      into[detection] = ignored[nearest] ? outcome.notCounted : outcome.right
    }
  }
}

function isOutside(area: number, [from, to]: AreaRange): boolean {
  return area < from || area > to
}
