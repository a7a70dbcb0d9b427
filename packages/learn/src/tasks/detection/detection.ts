import type { RunConfig } from "@learnloss/contract"
import { LearnlossError, type Value } from "@learnloss/engine"
import { type Box, type Detection, type DetectionTarget, singleObjects } from "../../data/boxes.ts"
import type { DefaultBoxes } from "../../models/ssd/default-boxes.ts"
import type { Task } from "../task.ts"
import { decodeDetections } from "./decode-detections.ts"
import { evaluateDetections } from "./evaluate-detections.ts"
import { fileEnding } from "./file-ending.ts"
import { multiboxLoss } from "./multibox-loss.ts"
import { detectionEntropy, detectionUnconfidence, outputStatistics } from "./output-signals.ts"
import { type DetectionTargets, targetEncoder, targetInputsOf } from "./targets.ts"

/** What is kept of an image for pictures: at most so many detections, of at least this score. */
const mostShown = 50
const shownScore = 0.1

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

function pixelsOf(
  [x1, y1, x2, y2]: Box,
  { width, height }: Pick<DetectionTarget, "width" | "height">,
): [number, number, number, number] {
  return [rounded(x1 * width, 2), rounded(y1 * height, 2), rounded(x2 * width, 2), rounded(y2 * height, 2)]
}

/**
 * Objects of several classes in each image, as boxes. Targets are measured in any image size; predictions are
 * relative, 0..1 of the image's width and height.
 */
export function detection(
  classNames: readonly string[],
  { boxes, perSource }: DefaultBoxes,
  { lossDivisor, difficult }: RunConfig["detection"],
): Task<DetectionTarget, readonly Detection[]> {
  const encode = targetEncoder(boxes, { learnsDifficult: difficult })
  const objectsOf = (targets: readonly DetectionTarget[]) => targets.flatMap((target) => singleObjects(target.boxes))
  return {
    name: "detection",
    targetInputs: targetInputsOf(boxes.length / 4),
    encodeTargets: (targets) => ({ ...encode(targets) }),
    perSampleLoss: (output, { offsets, classes }) =>
      multiboxLoss(output, { offsets, classes } as DetectionTargets<Value>, lossDivisor),
    outputStatistics: (output) => outputStatistics(output, perSource),
    uncertainty: detectionEntropy,
    unconfidence: detectionUnconfidence,
    predictionOutput: (output) => output,
    decode: (row) => decodeDetections(row, boxes),
    fileEnding: (output) => fileEnding(output, boxes),
    objectsToShow: (prediction, target) =>
      prediction
        .filter(({ score }) => score >= shownScore)
        .slice(0, mostShown)
        .map(({ classIndex, score, box }) => ({ classIndex, score: rounded(score, 4), box: pixelsOf(box, target) })),
    countClasses(targets) {
      const counts = classNames.map(() => 0)
      for (const { classIndex } of objectsOf(targets)) counts[classIndex] = (counts[classIndex] ?? 0) + 1
      return counts
    },
    countObjects: (targets) => objectsOf(targets).length,
    requireMeasurable(targets) {
      if (objectsOf(targets).some(({ isDifficult }) => !isDifficult)) return
      throw new LearnlossError("TEST_WITHOUT_OBJECTS", {
        where: "the test images",
        expected: "at least one object that is not marked as difficult, to measure a detector by",
        got: `none in ${targets.length} images`,
        fix: "Name another test split, or give the test images their boxes.",
      })
    },
    evaluate: (predictions, targets) => ({ ...evaluateDetections(predictions, targets, classNames) }),
  }
}
