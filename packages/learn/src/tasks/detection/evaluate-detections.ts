import type { Detection, DetectionTarget, LabeledBox } from "../../data/boxes.ts"
import { averagePrecisionOf, type VocTruth } from "./average-precision.ts"
import { type CocoMetrics, cocoAveragePrecisionOf } from "./coco-average-precision.ts"
import type { CocoTruth } from "./coco-matching.ts"
import { groupByClass } from "./group-by-class.ts"

/** How well a detector finds the objects of the test set; every figure 0..1, null where there is nothing to find. */
export interface DetectionMetrics {
  /** Mean over classes of the area under the precision envelope at overlap 0.5 (PASCAL VOC 2010 and later). */
  readonly mAP: number | null
  /** The same as PASCAL VOC 2007 measured it, at eleven recalls. */
  readonly mAP07: number | null
  /** What `mAP` is the mean of, in the order of the class names. */
  readonly averagePrecisionPerClass: readonly (number | null)[]
  readonly coco: CocoMetrics
}

/**
 * Measures detections against what a person marked. Difficult objects count neither as found nor as missed. Nor
 * do crowds; by COCO's measure any number of detections may lie inside one, while PASCAL VOC's, which knows none, takes
 * them for difficult objects.
 *
 * @param predictions of each image, boxes relative to the image, 0..1
 * @param targets of the same images, boxes in pixels
 * @throws LearnlossError COUNT_MISMATCH when there are not as many predictions as targets, DETECTION_INVALID when a
 *   class does not exist or a score or corner is no finite number
 */
export function evaluateDetections(
  predictions: readonly (readonly Detection[])[],
  targets: readonly DetectionTarget[],
  classNames: readonly string[],
): DetectionMetrics {
  const truths = targets.map(({ boxes }) => boxes.map(asTruth))
  const sizes = targets.map(({ width, height }) => [width, height] as const)
  const groups = groupByClass(predictions, truths, classNames.length, sizes)
  const voc = averagePrecisionOf(groups)
  return {
    mAP: voc.mean?.allPoint ?? null,
    mAP07: voc.mean?.elevenPoint ?? null,
    averagePrecisionPerClass: voc.perClass.map((each) => each?.allPoint ?? null),
    coco: cocoAveragePrecisionOf(groups),
  }
}

function asTruth({ classIndex, box, isDifficult, isCrowd }: LabeledBox): VocTruth & CocoTruth {
  return { classIndex, box, isDifficult: isDifficult || isCrowd === true, isCrowd: isCrowd === true }
}
