import { overlapOf } from "../../data/box-overlap.ts"
import type { Box, Detection, LabeledBox } from "../../data/boxes.ts"
import { boxAt } from "./box-at.ts"
import { type ClassGroup, groupByClass } from "./group-by-class.ts"
import { outcome, precisionEnvelope } from "./precision-envelope.ts"

/** An object as PASCAL VOC's evaluation sees it. */
export type VocTruth = Pick<LabeledBox, "classIndex" | "box" | "isDifficult">

/** How PASCAL VOC's average precision is computed. */
export interface AveragePrecisionOptions {
  /** An object counts as found by a box that overlaps it by at least this; 0.5 unless told. */
  readonly iouThreshold?: number
  /**
   * Measures overlap as the development kit does: with one pixel added to every width and height, because there corners
   * are the first and last pixel of a box. Here they are continuous, so nothing is added unless told.
   */
  readonly addsOnePixel?: boolean
}

/** PASCAL VOC's average precision in its two forms. */
export interface AveragePrecision {
  /** Area under the precision envelope (VOC2010 and later). */
  readonly allPoint: number
  /** Mean of the envelope at recall 0, 0.1, ..., 1 (VOC2007). */
  readonly elevenPoint: number
}

/** The average precision of every class, and of all. */
export interface MeanAveragePrecision {
  /** Null for a class without objects to find. */
  readonly perClass: readonly (AveragePrecision | null)[]
  /** Over the classes that have objects; null when none has. */
  readonly mean: AveragePrecision | null
}

/**
 * PASCAL VOC's average precision of each class (Everingham et al., 2010, section 4.2, and `VOCevaldet.m`). Detections
 * of a class are visited over all images by falling score, equal scores in the order given. Each takes the object of
 * its image that it overlaps most. When the overlap reaches the threshold, it is right the first time and wrong from
 * then on, and is not counted when the object is difficult; below the threshold it is wrong.
 *
 * Recall is compared with 0, 0.1, ..., 1 in whole numbers, so a recall of exactly 0.3 reaches 0.3 (in floating point,
 * as in the development kit, 3 * 0.1 is more than 0.3).
 *
 * @param detections of each image, in the same unit as its objects
 * @param truths the marked objects of each image
 * @throws LearnlossError as `groupByClass`
 */
export function averagePrecision(
  detections: readonly (readonly Detection[])[],
  truths: readonly (readonly VocTruth[])[],
  classCount: number,
  options: AveragePrecisionOptions = {},
): MeanAveragePrecision {
  return averagePrecisionOf(groupByClass(detections, truths, classCount), options)
}

/** As `averagePrecision`, of what is grouped already. */
export function averagePrecisionOf(
  groups: readonly ClassGroup<VocTruth>[],
  options: AveragePrecisionOptions = {},
): MeanAveragePrecision {
  const perClass = groups.map((group) => ofClass(group, options))
  const known = perClass.filter((each) => each !== null)
  if (known.length === 0) return { perClass, mean: null }
  const meanOf = (form: keyof AveragePrecision) => known.reduce((sum, each) => sum + each[form], 0) / known.length
  return { perClass, mean: { allPoint: meanOf("allPoint"), elevenPoint: meanOf("elevenPoint") } }
}

function ofClass(
  { images, corners, order }: ClassGroup<VocTruth>,
  options: AveragePrecisionOptions,
): AveragePrecision | null {
  const objects = images.reduce((sum, { truths }) => sum + truths.filter((truth) => !truth.isDifficult).length, 0)
  if (objects === 0) return null
  const outcomes = new Uint8Array(order.length).fill(outcome.wrong)
  for (const { start, end, truths } of images) {
    if (truths.length === 0) continue
    const isFound = new Array<boolean>(truths.length).fill(false)
    for (let at = start; at < end; at++) outcomes[at] = outcomeOf(boxAt(corners, at), truths, isFound, options)
  }
  return fromOutcomes(order, outcomes, objects)
}

function outcomeOf(
  box: Box,
  truths: readonly VocTruth[],
  isFound: boolean[],
  { iouThreshold = 0.5, addsOnePixel = false }: AveragePrecisionOptions,
): number {
  let largest = Number.NEGATIVE_INFINITY
  let nearest = -1
  for (let index = 0; index < truths.length; index++) {
    const object = (truths[index] as VocTruth).box
    const overlap = addsOnePixel ? overlapOf(withOnePixel(box), withOnePixel(object)) : overlapOf(box, object)
    if (overlap <= largest) continue
    largest = overlap
    nearest = index
  }
  if (largest < iouThreshold) return outcome.wrong
  if ((truths[nearest] as VocTruth).isDifficult) return outcome.notCounted
  if (isFound[nearest]) return outcome.wrong
  isFound[nearest] = true
  return outcome.right
}

/** A box whose last pixel counts as one that lies inside. */
function withOnePixel([x1, y1, x2, y2]: Box): Box {
  return [x1, y1, x2 + 1, y2 + 1]
}

function fromOutcomes(order: Uint32Array, outcomes: Uint8Array, objects: number): AveragePrecision {
  const envelope = precisionEnvelope(order, outcomes)
  let elevenPoint = 0
  for (let tenth = 0; tenth <= 10; tenth++) {
    // The first right detection with which recall, right / objects, reaches tenth / 10.
    const needed = Math.max(1, Math.ceil((tenth * objects) / 10))
    elevenPoint += envelope[needed - 1] ?? 0
  }
  return { allPoint: envelope.reduce((sum, precision) => sum + precision, 0) / objects, elevenPoint: elevenPoint / 11 }
}
