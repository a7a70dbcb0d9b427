import { LearnlossError } from "@learnloss/engine"
import type { Box, Detection } from "../../data/boxes.ts"

/** A marked object of any kind of metric. */
interface Truth {
  readonly classIndex: number
  readonly box: Box
}

/** What one image has of one class. */
export interface ImageOfClass<T extends Truth> {
  /** Highest score first; equal scores in the order given. */
  readonly detections: readonly Detection[]
  readonly truths: readonly T[]
}

/**
 * Sorts out what was found and what was marked: for each class the images that have something of it, in their order.
 *
 * @throws LearnlossError COUNT_MISMATCH when there are not as many lists of detections as of marked objects,
 *   DETECTION_INVALID when a class does not exist or a score or corner is no finite number
 */
export function groupByClass<T extends Truth>(
  detections: readonly (readonly Detection[])[],
  truths: readonly (readonly T[])[],
  classCount: number,
): ImageOfClass<T>[][] {
  if (detections.length !== truths.length) {
    throw new LearnlossError("COUNT_MISMATCH", {
      where: "metrics of detection",
      expected: `${truths.length} lists of detections, one for each image with its marked objects`,
      got: String(detections.length),
      fix: "Give an image without detections an empty list.",
    })
  }
  const perClass: ImageOfClass<T>[][] = Array.from({ length: classCount }, () => [])
  for (const [image, found] of detections.entries()) {
    const marked = truths[image] as readonly T[]
    const parts = new Map<number, { detections: Detection[]; truths: T[] }>()
    const partOf = (classIndex: number) => {
      const known = parts.get(classIndex)
      if (known !== undefined) return known
      const part = { detections: [], truths: [] }
      parts.set(classIndex, part)
      return part
    }
    for (const [index, detection] of found.entries()) {
      check(detection, classCount, () => `image ${image}, detection ${index}`)
      if (!Number.isFinite(detection.score))
        throw invalid(`image ${image}, detection ${index}`, "a score", detection.score)
      partOf(detection.classIndex).detections.push(detection)
    }
    for (const [index, truth] of marked.entries()) {
      check(truth, classCount, () => `image ${image}, object ${index}`)
      partOf(truth.classIndex).truths.push(truth)
    }
    for (const [classIndex, part] of parts) {
      part.detections.sort((a, b) => b.score - a.score)
      ;(perClass[classIndex] as ImageOfClass<T>[]).push(part)
    }
  }
  return perClass
}

function check({ classIndex, box }: Truth, classCount: number, where: () => string): void {
  if (!(Number.isInteger(classIndex) && classIndex >= 0 && classIndex < classCount)) {
    throw invalid(where(), `a class from 0 to ${classCount - 1}`, classIndex)
  }
  if (!box.every(Number.isFinite)) throw invalid(where(), "four corners", box.join(", "))
}

function invalid(where: string, expected: string, got: unknown): LearnlossError {
  return new LearnlossError("DETECTION_INVALID", { where, expected, got: String(got) })
}

/**
 * Order of all detections of a class over its images: highest score first; equal scores in the order of images, then as
 * given.
 */
export function byFallingScore(scores: Float64Array): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b)
}
