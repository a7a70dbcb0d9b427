import { LearnlossError } from "@learnloss/engine"
import type { Box, Detection } from "../../data/boxes.ts"

/** A marked object of any kind of metric. */
interface Truth {
  readonly classIndex: number
  readonly box: Box
}

/** What one image has of one class. */
export interface ImageOfClass<T extends Truth> {
  /** Its detections are those of the class from `start` to before `end`. */
  readonly start: number
  readonly end: number
  readonly truths: readonly T[]
}

/** Everything that was found and marked of one class, image after image, in numbers that are quick to go through. */
export interface ClassGroup<T extends Truth> {
  readonly images: readonly ImageOfClass<T>[]
  /** Corners of each detection, [D, 4]; an image's detections by falling score, equal scores as given. */
  readonly corners: Float64Array
  /** How many detections of its image come before each one. */
  readonly places: Uint32Array
  /** All detections by falling score; equal scores in the order of images, then as given. */
  readonly order: Uint32Array
}

/**
 * Sorts out what was found and what was marked in images.
 *
 * @param scales what the corners of an image's detections are multiplied by, x and y, to be in the unit of its objects;
 *   nothing unless told
 * @returns a group for each class
 * @throws LearnlossError COUNT_MISMATCH when there are not as many lists of detections as of marked objects,
 *   DETECTION_INVALID when a class does not exist or a score or corner is no finite number
 */
export function groupByClass<T extends Truth>(
  detections: readonly (readonly Detection[])[],
  truths: readonly (readonly T[])[],
  classCount: number,
  scales?: readonly (readonly [x: number, y: number])[],
): ClassGroup<T>[] {
  requireSame(detections, truths, classCount)
  const counts = new Uint32Array(classCount)
  for (const found of detections) {
    for (const { classIndex } of found) counts[classIndex] = (counts[classIndex] as number) + 1
  }
  const groups = Array.from(counts, (count) => new OpenGroup<T>(count))
  for (const [image, found] of detections.entries()) {
    const [scaleX, scaleY] = scales?.[image] ?? [1, 1]
    for (const truth of truths[image] as readonly T[]) groups[truth.classIndex]?.truths.push(truth)
    const byScore = [...found].sort((a, b) => b.score - a.score)
    for (const { classIndex, score, box } of byScore) groups[classIndex]?.add(score, box, scaleX, scaleY)
    for (const group of groups) group.endImage()
  }
  return groups.map((group) => group.close())
}

/** A group that images are still added to. */
class OpenGroup<T extends Truth> {
  readonly #images: ImageOfClass<T>[] = []
  readonly #scores: Float64Array
  readonly #corners: Float64Array
  readonly #places: Uint32Array
  #start = 0
  #end = 0
  /** Of the image that is being added. */
  truths: T[] = []

  constructor(count: number) {
    this.#scores = new Float64Array(count)
    this.#corners = new Float64Array(count * 4)
    this.#places = new Uint32Array(count)
  }

  add(score: number, box: Box, scaleX: number, scaleY: number): void {
    const at = this.#end++
    this.#scores[at] = score
    this.#places[at] = at - this.#start
    this.#corners[at * 4] = box[0] * scaleX
    this.#corners[at * 4 + 1] = box[1] * scaleY
    this.#corners[at * 4 + 2] = box[2] * scaleX
    this.#corners[at * 4 + 3] = box[3] * scaleY
  }

  endImage(): void {
    if (this.#end === this.#start && this.truths.length === 0) return
    this.#images.push({ start: this.#start, end: this.#end, truths: this.truths })
    this.#start = this.#end
    this.truths = []
  }

  close(): ClassGroup<T> {
    const scores = this.#scores
    const order = Uint32Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b)
    return { images: this.#images, corners: this.#corners, places: this.#places, order }
  }
}

function requireSame(
  detections: readonly (readonly Detection[])[],
  truths: readonly (readonly Truth[])[],
  classCount: number,
): void {
  if (detections.length !== truths.length) {
    throw new LearnlossError("COUNT_MISMATCH", {
      where: "metrics of detection",
      expected: `${truths.length} lists of detections, one for each image with its marked objects`,
      got: String(detections.length),
      fix: "Give an image without detections an empty list.",
    })
  }
  for (const [image, found] of detections.entries()) {
    for (const [index, detection] of found.entries()) {
      if (isUsable(detection, classCount) && Number.isFinite(detection.score)) continue
      throw invalid(`image ${image}, detection ${index}`, detection, classCount, `, score ${detection.score}`)
    }
    for (const [index, truth] of (truths[image] as readonly Truth[]).entries()) {
      if (!isUsable(truth, classCount)) throw invalid(`image ${image}, object ${index}`, truth, classCount)
    }
  }
}

function isUsable({ classIndex, box }: Truth, classCount: number): boolean {
  const isClass = Number.isInteger(classIndex) && classIndex >= 0 && classIndex < classCount
  return isClass && Number.isFinite(box[0] + box[1] + box[2] + box[3])
}

function invalid(where: string, { classIndex, box }: Truth, classCount: number, more = ""): LearnlossError {
  return new LearnlossError("DETECTION_INVALID", {
    where,
    expected: `a class from 0 to ${classCount - 1} and finite numbers`,
    got: `class ${classIndex}, box ${box.join(", ")}${more}`,
  })
}
