import { LearnlossError } from "@learnloss/engine"
import type { Detection } from "../../data/boxes.ts"
import { boxAt } from "./box-at.ts"
import { decodeBox } from "./box-coding.ts"
import { suppress } from "./suppress.ts"

/** What becomes a detection. */
export interface DecodeSettings {
  /** A class must be more probable than this, 0..1. */
  readonly scoreThreshold: number
  /** How many boxes of a class enter the suppression. */
  readonly candidatesPerClass: number
  /** Largest intersection over union that two detections of a class may have. */
  readonly iouThreshold: number
  readonly detectionsPerImage: number
}

/** The settings of SSD (Liu et al., 2016, section 3.2, and its Caffe code). */
export const ssdDecoding: DecodeSettings = {
  scoreThreshold: 0.01,
  candidatesPerClass: 400,
  iouThreshold: 0.45,
  detectionsPerImage: 200,
}

/** A box that may become a detection of some class. */
interface Candidate {
  readonly position: number
  readonly score: number
}

/**
 * Reads one image's network output: softmax over the class logits, coded offsets turned into boxes, and then as
 * `detectionsFromScores`.
 *
 * @param output [P, 4 + 1 + classes] flattened: offsets (dx, dy, dw, dh) and class logits, background first
 * @param defaultBoxes [P, 4] flattened: cx, cy, w, h relative to the image
 * @returns boxes relative to the image, 0..1
 * @throws LearnlossError OUTPUT_SHAPE when the output is not of as many boxes
 */
export function decodeDetections(
  output: Float32Array,
  defaultBoxes: Float32Array,
  settings: DecodeSettings = ssdDecoding,
): Detection[] {
  const boxCount = defaultBoxes.length / 4
  const columns = checkedColumns("output of a detector", output.length, boxCount, 6)
  const perClass = noCandidates(columns - 5)
  const boxes = new Float64Array(boxCount * 4)
  // A class whose logit lies further than this below the largest cannot reach the threshold: most rows need no exp.
  const reach = settings.scoreThreshold > 0 ? Math.log(settings.scoreThreshold) - 1e-6 : Number.NEGATIVE_INFINITY
  for (let position = 0; position < boxCount; position++) {
    const start = position * columns + 4
    const end = start + columns - 4
    let largest = output[start] as number
    let largestObject = Number.NEGATIVE_INFINITY
    for (let at = start + 1; at < end; at++) {
      const logit = output[at] as number
      if (logit > largestObject) largestObject = logit
    }
    if (largestObject > largest) largest = largestObject
    if (!(largestObject - largest > reach)) continue
    let sum = 0
    for (let at = start; at < end; at++) sum += Math.exp((output[at] as number) - largest)
    let isDecoded = false
    for (let at = start + 1; at < end; at++) {
      const logit = output[at] as number
      if (!(logit - largest > reach)) continue
      const score = Math.exp(logit - largest) / sum
      if (!(score > settings.scoreThreshold)) continue
      if (!isDecoded) {
        boxes.set(decodeBox(output, start - 4, defaultBoxes, position), position * 4)
        if (!isInside(boxes, position)) break
        isDecoded = true
      }
      offer(perClass[at - start - 1] as Candidate[], { position, score }, settings.candidatesPerClass)
    }
  }
  return detectionsOf(perClass, boxes, settings)
}

/**
 * Detections of one image from class probabilities and boxes: of each class the best candidates above the threshold,
 * those among them that no better one suppresses, and of all classes together the best. Equal scores keep the order of
 * classes, then of boxes. Boxes wholly outside the image are dropped first; the others are cut at its border at last,
 * as in SSD's Caffe code, so suppression sees them whole.
 *
 * @param scores [P, 1 + classes] flattened, 0..1, background first
 * @param boxes [P, 4] flattened: corners x1, y1, x2, y2 relative to the image
 * @returns boxes relative to the image, 0..1, highest score first
 * @throws LearnlossError OUTPUT_SHAPE when there are not as many boxes as rows of scores
 */
export function detectionsFromScores(
  scores: Float32Array,
  boxes: Float32Array,
  settings: DecodeSettings = ssdDecoding,
): Detection[] {
  const boxCount = boxes.length / 4
  const columns = checkedColumns("scores of a detector", scores.length, boxCount, 2)
  const perClass = noCandidates(columns - 1)
  for (let position = 0; position < boxCount; position++) {
    if (!isInside(boxes, position)) continue
    for (let column = 1; column < columns; column++) {
      const score = scores[position * columns + column] as number
      if (!(score > settings.scoreThreshold)) continue
      offer(perClass[column - 1] as Candidate[], { position, score }, settings.candidatesPerClass)
    }
  }
  return detectionsOf(perClass, boxes, settings)
}

function checkedColumns(where: string, length: number, boxCount: number, least: number): number {
  const columns = length / boxCount
  if (Number.isInteger(boxCount) && Number.isInteger(columns) && columns >= least) return columns
  throw new LearnlossError("OUTPUT_SHAPE", {
    where,
    expected: `${boxCount} boxes of at least ${least} numbers each`,
    got: `${length} numbers`,
    fix: "Pass the default boxes of the network that made this output.",
  })
}

function noCandidates(classes: number): Candidate[][] {
  return Array.from({ length: classes }, () => [])
}

/**
 * Adds a candidate, whose position is beyond all before it, unless as many better ones as wanted are known. They are
 * sorted when that many have gathered and again with as many more, so the first of them are always in order.
 */
function offer(candidates: Candidate[], candidate: Candidate, most: number): void {
  const worst = candidates[most - 1]
  if (worst !== undefined && candidate.score <= worst.score) return
  candidates.push(candidate)
  if (candidates.length === most || candidates.length === 2 * most) keepBest(candidates, most)
}

function keepBest(candidates: Candidate[], most: number): void {
  candidates.sort((a, b) => b.score - a.score || a.position - b.position)
  candidates.length = Math.min(most, candidates.length)
}

/** Whether part of the box lies in the image; false for what is no number. */
function isInside(boxes: ArrayLike<number>, position: number): boolean {
  const [x1, y1, x2, y2] = boxAt(boxes, position)
  return x1 < 1 && y1 < 1 && x2 > 0 && y2 > 0 && x2 > x1 && y2 > y1
}

function detectionsOf(
  perClass: readonly Candidate[][],
  boxes: ArrayLike<number>,
  settings: DecodeSettings,
): Detection[] {
  const { candidatesPerClass, iouThreshold, detectionsPerImage } = settings
  const kept = perClass.flatMap((candidates, classIndex) => {
    keepBest(candidates, candidatesPerClass)
    const order = candidates.map(({ position }) => position)
    const free = new Set(suppress(boxes, order, iouThreshold, detectionsPerImage))
    return candidates.filter(({ position }) => free.has(position)).map((candidate) => ({ classIndex, ...candidate }))
  })
  // The sort is stable: equal scores keep the order of classes, then of boxes.
  const best = kept.sort((a, b) => b.score - a.score).slice(0, detectionsPerImage)
  return best.map(({ classIndex, score, position }) => {
    const [x1, y1, x2, y2] = boxAt(boxes, position)
    return { classIndex, score, box: [within(x1), within(y1), within(x2), within(y2)] }
  })
}

function within(coordinate: number): number {
  return Math.min(1, Math.max(0, coordinate))
}
