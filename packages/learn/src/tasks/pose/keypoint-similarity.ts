import { bodyPart, isLabelled } from "../../data/annotations/joints.ts"
import type { Box } from "../../data/boxes.ts"
import { type PersonTarget, type Pose, placeInImage } from "../../data/people.ts"
import { areaRanges, type CocoTruth, matchImage, overlapThresholds } from "../detection/coco-matching.ts"
import { meanPrecision, outcome } from "../detection/precision-envelope.ts"

interface Place {
  readonly x: number
  readonly y: number
}

/** How far people who label the same joint differ, over the square root of the person's area: COCO's, then CrowdPose's. */
const deviations: Readonly<Record<string, number>> = {
  nose: 0.026,
  eye: 0.025,
  ear: 0.035,
  shoulder: 0.079,
  elbow: 0.072,
  wrist: 0.062,
  hip: 0.107,
  knee: 0.087,
  ankle: 0.089,
  "head top": 0.079,
  neck: 0.079,
}

/** How many poses of an image count, those of the highest score. */
const mostPoses = 20

/** COCO's average precision of poses, 0..1. */
export interface KeypointPrecision {
  /** Mean over similarities of 0.5, 0.55, ..., 0.95, COCO's main measure of poses. */
  readonly ap: number
  readonly ap50: number
  readonly ap75: number
}

/**
 * COCO's average precision of poses by object keypoint similarity (OKS), as pycocotools computes it over all sizes: of each
 * image the twenty poses of the highest score are given, one after the other, to the person they resemble most and who is
 * still free.
 *
 * @param found of each person, in shares of the crop
 * @param people the same, in pixels
 * @returns null where the area of a person or the deviation of a joint is unknown, or nobody has labelled joints
 */
export function keypointPrecision(
  found: readonly Pose[],
  people: readonly PersonTarget[],
  names: readonly string[],
): KeypointPrecision | null {
  const spreads = names.map((name) => deviations[bodyPart(name)])
  const isKnown = spreads.every((spread) => spread !== undefined) && people.every(({ area }) => area !== null)
  const total = people.filter(({ joints }) => joints.some(isLabelled)).length
  if (!isKnown || total === 0) return null
  const outcomes = overlapThresholds.map(() => new Uint8Array(people.length).fill(outcome.notCounted))
  const poses: number[] = []
  for (const image of imagesOf(people)) {
    const best = image.toSorted((a, b) => scoreOf(found, b) - scoreOf(found, a)).slice(0, mostPoses)
    const placed = (pose: number) => placesOf(found[pose] as Pose, people[pose] as PersonTarget)
    const shares = best.map((pose) =>
      image.map((person) => similarity(placed(pose), people[person] as PersonTarget, spreads as number[])),
    )
    for (const each of outcomes) for (const pose of best) each[pose] = outcome.wrong
    const truths = image.map((person) => truthOf(people[person] as PersonTarget))
    matchImage(truths, { near: best, shares }, areaRanges.all, outcomes)
    poses.push(...best)
  }
  const order = Uint32Array.from(poses.toSorted((a, b) => scoreOf(found, b) - scoreOf(found, a)))
  const precisions = outcomes.map((each) => meanPrecision(order, each, total))
  const ap = precisions.reduce((sum, precision) => sum + precision, 0) / precisions.length
  return { ap, ap50: precisions[0] as number, ap75: precisions[5] as number }
}

/** Positions of the people of each image. */
function imagesOf(people: readonly PersonTarget[]): Iterable<readonly number[]> {
  const images = new Map<string, number[]>()
  for (const [index, { imageId }] of people.entries()) {
    const others = images.get(imageId)
    if (others === undefined) images.set(imageId, [index])
    else others.push(index)
  }
  return images.values()
}

function scoreOf(found: readonly Pose[], index: number): number {
  return (found[index] as Pose).score
}

/** Someone without labelled joints does not have to be found. */
function truthOf({ joints, area }: PersonTarget): CocoTruth {
  return {
    classIndex: 0,
    box: [0, 0, 0, 0],
    isCrowd: false,
    isDifficult: !joints.some(isLabelled),
    area: area as number,
  }
}

/** A pose in pixels of the image, through the crop that it was found in. */
function placesOf({ joints }: Pose, { crop }: PersonTarget): readonly Place[] {
  return joints.map((joint) => placeInImage(joint, crop))
}

/**
 * Object keypoint similarity: the mean over labelled joints of exp(-d^2 / (2 area (2 deviation)^2)). Of someone without
 * labelled joints d is how far each joint lies outside of a box three times as wide and as high, as in pycocotools.
 */
function similarity(places: readonly Place[], { joints, box, area }: PersonTarget, spreads: readonly number[]): number {
  const hasJoints = joints.some(isLabelled)
  if (!hasJoints && box === null) return 0
  let [sum, count] = [0, 0]
  for (const [index, place] of places.entries()) {
    const joint = joints[index] as Place
    if (hasJoints && !isLabelled(joints[index] as PersonTarget["joints"][number])) continue
    const distance = hasJoints ? (place.x - joint.x) ** 2 + (place.y - joint.y) ** 2 : outsideOf(place, box as Box)
    sum += Math.exp(-distance / (2 * (spreads[index] as number)) ** 2 / ((area as number) + Number.EPSILON) / 2)
    count++
  }
  return sum / count
}

/** The squared distance of a place from a box that has grown by its width and height to every side. */
function outsideOf({ x, y }: Place, [x1, y1, x2, y2]: Box): number {
  const beyond = (at: number, from: number, to: number): number =>
    Math.max(0, from - (to - from) - at) + Math.max(0, at - to - (to - from))
  return beyond(x, x1, x2) ** 2 + beyond(y, y1, y2) ** 2
}
