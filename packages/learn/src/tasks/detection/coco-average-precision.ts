import { areaOf } from "../../data/box-overlap.ts"
import type { Detection } from "../../data/boxes.ts"
import { boxAt } from "./box-at.ts"
import {
  areaRanges,
  type CocoTruth,
  isIgnored,
  matchImage,
  type Overlaps,
  overlapsOf,
  overlapThresholds,
  withoutObject,
} from "./coco-matching.ts"
import { type ClassGroup, groupByClass } from "./group-by-class.ts"
import { meanPrecision, outcome } from "./precision-envelope.ts"

/**
 * The twelve figures of COCO's evaluation, 0..1: means over classes and, unless the name says otherwise, over the
 * overlaps 0.5, 0.55, ..., 0.95. Null where no class has objects of that size.
 */
export interface CocoMetrics {
  /** Mean average precision, COCO's main measure. */
  readonly ap: number | null
  /** At overlap 0.5. */
  readonly ap50: number | null
  /** At overlap 0.75. */
  readonly ap75: number | null
  /** Of objects below 32 x 32 pixels. */
  readonly apSmall: number | null
  readonly apMedium: number | null
  /** Of objects above 96 x 96 pixels. */
  readonly apLarge: number | null
  /** Share of objects found by the best detection of each image and class. */
  readonly recall1: number | null
  /** By the best ten. */
  readonly recall10: number | null
  /** By the best hundred, as in all of the above. */
  readonly recall100: number | null
  readonly recallSmall: number | null
  readonly recallMedium: number | null
  readonly recallLarge: number | null
  /** `ap` of each class; null for a class without objects. */
  readonly apPerClass: readonly (number | null)[]
}

/** How many detections of an image and class count. */
const mostDetections = 100

/** One class at each of `overlapThresholds`, among objects of one range of sizes. */
interface ClassFigures {
  /** Mean precision at recall 0, 0.01, ..., 1. */
  readonly precision: readonly number[]
  /** Share of objects found by the best 1, 10 or 100 detections of each image. */
  readonly recall1: readonly number[]
  readonly recall10: readonly number[]
  readonly recall100: readonly number[]
}

/** COCO's sizes of objects. */
type SizeRange = keyof typeof areaRanges

/**
 * COCO's mean average precision and recall of boxes as pycocotools computes them: of each image and class the best
 * hundred detections count, equal scores in the order given, and precision is read off its envelope at 101 recalls.
 *
 * @param detections of each image, in pixels
 * @param truths the marked objects of each image, in pixels
 * @throws LearnlossError as `groupByClass`
 */
export function cocoAveragePrecision(
  detections: readonly (readonly Detection[])[],
  truths: readonly (readonly CocoTruth[])[],
  classCount: number,
): CocoMetrics {
  return cocoAveragePrecisionOf(groupByClass(detections, truths, classCount))
}

/** As `cocoAveragePrecision`, of what is grouped already. */
export function cocoAveragePrecisionOf(groups: readonly ClassGroup<CocoTruth>[]): CocoMetrics {
  const classes = groups.map(ofClass)
  const meanOf = (range: SizeRange, pick: (figures: ClassFigures) => readonly number[]) =>
    mean(classes.flatMap((figures) => (figures[range] === null ? [] : pick(figures[range]))))
  const precision = (figures: ClassFigures) => figures.precision
  const recall = (figures: ClassFigures) => figures.recall100
  return {
    ap: meanOf("all", precision),
    ap50: meanOf("all", (figures) => figures.precision.slice(0, 1)),
    ap75: meanOf("all", (figures) => figures.precision.slice(5, 6)),
    apSmall: meanOf("small", precision),
    apMedium: meanOf("medium", precision),
    apLarge: meanOf("large", precision),
    recall1: meanOf("all", (figures) => figures.recall1),
    recall10: meanOf("all", (figures) => figures.recall10),
    recall100: meanOf("all", recall),
    recallSmall: meanOf("small", recall),
    recallMedium: meanOf("medium", recall),
    recallLarge: meanOf("large", recall),
    apPerClass: classes.map(({ all }) => (all === null ? null : mean(all.precision))),
  }
}

function ofClass({ images, corners, places, order }: ClassGroup<CocoTruth>): Record<SizeRange, ClassFigures | null> {
  const overlaps = images.map(({ start, end, truths }) =>
    overlapsOf(corners, start, Math.min(end, start + mostDetections), truths),
  )
  const areas = Float64Array.from(order.keys(), (detection) => areaOf(boxAt(corners, detection)))
  const otherwise = new Uint8Array(order.length)
  const outcomes = overlapThresholds.map(() => new Uint8Array(order.length))
  const figures = (range: SizeRange): ClassFigures | null => {
    const toFind = (truth: CocoTruth) => !isIgnored(truth, areaRanges[range])
    const objects = images.reduce((sum, { truths }) => sum + truths.filter(toFind).length, 0)
    if (objects === 0) return null
    for (const [detection, area] of areas.entries()) {
      const isCounted = (places[detection] as number) < mostDetections
      otherwise[detection] = isCounted ? withoutObject(area, areaRanges[range]) : outcome.notCounted
    }
    for (const each of outcomes) each.set(otherwise)
    for (const [index, { truths }] of images.entries()) {
      matchImage(truths, overlaps[index] as Overlaps, areaRanges[range], outcomes)
    }
    const recall = (most: number) => outcomes.map((each) => countRight(each, places, most) / objects)
    return {
      precision: outcomes.map((each) => meanPrecision(order, each, objects)),
      recall1: recall(1),
      recall10: recall(10),
      recall100: recall(mostDetections),
    }
  }
  return { all: figures("all"), small: figures("small"), medium: figures("medium"), large: figures("large") }
}

/** How many objects the best so many detections of each image found. */
function countRight(outcomes: Uint8Array, places: Uint32Array, most: number): number {
  let count = 0
  for (let index = 0; index < outcomes.length; index++) {
    if (outcomes[index] === outcome.right && (places[index] as number) < most) count++
  }
  return count
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
}
