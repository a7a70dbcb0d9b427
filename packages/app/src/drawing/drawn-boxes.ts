import type { Detection, DetectionTarget } from "@learnloss/learn"
import type { DrawnBox } from "./boxes-svg.ts"

/** What a person marked, as it is drawn: the names of classes, difficult objects and crowds in dashes. */
export function labeledBoxes({ boxes }: DetectionTarget, classNames: readonly string[]): DrawnBox[] {
  return boxes.map(({ classIndex, box, isDifficult, isCrowd }) => ({
    classIndex,
    box,
    label: nameOf(classIndex, classNames),
    isDashed: isDifficult || isCrowd === true,
  }))
}

/**
 * What a network found, as it is drawn: names and scores, the surest first.
 *
 * @param detections boxes in pixels of the picture
 */
export function detectedBoxes(detections: readonly Detection[], classNames: readonly string[]): DrawnBox[] {
  return detections
    .toSorted((a, b) => b.score - a.score)
    .map(({ classIndex, box, score }) => ({
      classIndex,
      box,
      label: `${nameOf(classIndex, classNames)} ${score.toFixed(2)}`,
    }))
}

function nameOf(classIndex: number, classNames: readonly string[]): string {
  return classNames[classIndex] ?? String(classIndex)
}
