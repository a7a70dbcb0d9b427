import { LearnlossError } from "@learnloss/engine"
import { bodyPart, isLabelled } from "../../data/annotations/joints.ts"
import { type HeadSize, type PersonTarget, type Pose, placeInImage } from "../../data/people.ts"
import { type KeypointPrecision, keypointPrecision } from "./keypoint-similarity.ts"

/** Rows of MPII's table, in its order; each is the mean over the left and the right joint. */
const tableRows = {
  head: "head top",
  shoulder: "shoulder",
  elbow: "elbow",
  wrist: "wrist",
  hip: "hip",
  knee: "knee",
  ankle: "ankle",
} as const

/** Joints in the middle of the body that MPII's mean leaves out. */
const leftOut: readonly string[] = ["pelvis", "thorax"]

/** How well the joints of test people are found; shares 0..1, null where nothing can be measured so. */
export interface PoseMetrics {
  /** Share of labelled joints found within half of the head's length (MPII), without pelvis and thorax. */
  readonly PCKh: number | null
  /** The same within a tenth of the head's length. */
  readonly PCKh01: number | null
  /** Where the lengths of heads come from; null where none is known. */
  readonly headSizeFrom: HeadSize["from"] | "both" | null
  /** Share of labelled joints found within a fifth of the longer side of the person's box, without pelvis and thorax. */
  readonly PCK: number | null
  /** Of each joint, in the order of the names: its share of PCKh where that is known, else of PCK. */
  readonly pckPerJoint: readonly (number | null)[]
  /** The same as the rows of MPII's table, as far as the joints have such names. */
  readonly pckTable: Readonly<Partial<Record<keyof typeof tableRows, number>>>
  /** COCO's measure of poses; null where the size of a person or the spread of a joint is unknown. */
  readonly oks: KeypointPrecision | null
}

/** Whether each joint counts in the means. */
export function measuredJoints(names: readonly string[]): readonly boolean[] {
  return names.map((name) => !leftOut.includes(bodyPart(name)))
}

/**
 * Measures poses against what a person labelled. A joint counts where it is labelled, seen or hidden, inside the crop or not.
 *
 * @param found of each person, in shares of the crop
 * @param people the same, in pixels
 * @throws LearnlossError COUNT_MISMATCH when there are not as many poses as people
 */
export function evaluatePoses(
  found: readonly Pose[],
  people: readonly PersonTarget[],
  names: readonly string[],
): PoseMetrics {
  if (found.length !== people.length) {
    throw new LearnlossError("COUNT_MISMATCH", {
      where: "metrics of pose",
      expected: `${people.length} poses, one for each person`,
      got: String(found.length),
    })
  }
  const misses = people.map((person, index) => distances(found[index] as Pose, person))
  const rates = (limitOf: (person: PersonTarget) => number | null) => shareWithin(misses, people.map(limitOf), names)
  const byHead = rates(({ head }) => head && head.length / 2)
  const byBox = rates(({ box }) => box && Math.max(box[2] - box[0], box[3] - box[1]) / 5)
  const { perJoint } = byHead.mean === null ? byBox : byHead
  return {
    PCKh: byHead.mean,
    PCKh01: rates(({ head }) => head && head.length / 10).mean,
    headSizeFrom: originOf(people),
    PCK: byBox.mean,
    pckPerJoint: perJoint,
    pckTable: tableOf(perJoint, names),
    oks: keypointPrecision(found, people, names),
  }
}

/** How far each joint was found from its place, in pixels of the image; NaN where it is not labelled. */
function distances({ joints }: Pose, person: PersonTarget): readonly number[] {
  return person.joints.map((joint, index) => {
    if (!isLabelled(joint)) return Number.NaN
    const { x, y } = placeInImage(joints[index] as Pose["joints"][number], person.crop)
    return Math.hypot(x - joint.x, y - joint.y)
  })
}

interface Rates {
  readonly mean: number | null
  readonly perJoint: readonly (number | null)[]
}

/** @param limits how far off a joint of each person may be; null for people who are not measured */
function shareWithin(
  misses: readonly (readonly number[])[],
  limits: readonly (number | null)[],
  names: readonly string[],
): Rates {
  const [counts, hits] = [names.map(() => 0), names.map(() => 0)]
  for (const [person, limit] of limits.entries()) {
    if (limit === null) continue
    for (const [joint, miss] of (misses[person] as readonly number[]).entries()) {
      if (Number.isNaN(miss)) continue
      counts[joint] = (counts[joint] as number) + 1
      if (miss <= limit) hits[joint] = (hits[joint] as number) + 1
    }
  }
  const isMeasured = measuredJoints(names)
  const total = (of: readonly number[]) => of.reduce((sum, each, joint) => sum + (isMeasured[joint] ? each : 0), 0)
  return {
    mean: total(counts) === 0 ? null : total(hits) / total(counts),
    perJoint: counts.map((count, joint) => (count === 0 ? null : (hits[joint] as number) / count)),
  }
}

function originOf(people: readonly PersonTarget[]): PoseMetrics["headSizeFrom"] {
  const origins = new Set(people.flatMap(({ head }) => head?.from ?? []))
  const [first] = origins
  return origins.size > 1 ? "both" : (first ?? null)
}

function tableOf(perJoint: readonly (number | null)[], names: readonly string[]): PoseMetrics["pckTable"] {
  const rows = Object.entries(tableRows).flatMap(([row, part]) => {
    const of = perJoint.filter((rate, joint): rate is number => rate !== null && bodyPart(names[joint] ?? "") === part)
    return of.length === 0 ? [] : [[row, of.reduce((sum, rate) => sum + rate, 0) / of.length] as const]
  })
  return Object.fromEntries(rows)
}
