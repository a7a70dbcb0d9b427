import type { Rng } from "@learnloss/engine"
import type { LimbAngles, Posture } from "./draw-posture.ts"
import { type FigureJoint, figureJoints, type Side } from "./figure-skeleton.ts"
import { combine, cos, sin, turn, type Vector } from "./vectors.ts"

/** One side of a body in space: its joints, and the ends of hand and foot. */
export interface BodySide {
  readonly shoulder: Vector
  readonly elbow: Vector
  readonly wrist: Vector
  readonly fingers: Vector
  readonly hip: Vector
  readonly knee: Vector
  readonly ankle: Vector
  readonly toes: Vector
}

/** A body in space, about 1 high when it stands, around the middle of its hips. */
export interface Body {
  readonly left: BodySide
  readonly right: BodySide
  readonly neck: Vector
  readonly headTop: Vector
  /** Directions of the head, each of length 1. */
  readonly head: Frame
}

interface Frame {
  readonly up: Vector
  readonly forward: Vector
  readonly left: Vector
}

/** Lengths of the parts of a body, of its height. */
const lengths = {
  head: 0.165,
  trunk: 0.29,
  shoulders: 0.115,
  upperArm: 0.165,
  forearm: 0.15,
  hand: 0.05,
  hips: 0.07,
  thigh: 0.24,
  shin: 0.235,
  foot: 0.08,
} as const
/** The neck lies this far above the shoulders. */
const shoulderDrop = 0.025
/** Between shin and foot, in degrees. */
const footAngle = 75

/** Draws the proportions of a body and brings it into a posture. */
export function poseBody(posture: Posture, rng: Rng): Body {
  const stature = (length: number) => length * (1 + 0.07 * Math.max(-2, Math.min(rng.normal(), 2)))
  const [head, trunk, shoulders, hips] = [lengths.head, lengths.trunk, lengths.shoulders, lengths.hips].map(stature)
  const arm = [lengths.upperArm, lengths.forearm, lengths.hand].map(stature)
  const leg = [lengths.thigh, lengths.shin, lengths.foot].map(stature)
  const pelvis = cameraFrame(posture)
  const chest = trunkFrame(pelvis, posture)
  const skull = headFrame(chest, posture)
  const neck = combine([trunk as number, chest.up])
  const bodySide = (side: Side): BodySide => {
    const outwards = side === "left" ? 1 : -1
    const shoulder = combine([1, neck], [-shoulderDrop, chest.up], [outwards * (shoulders as number), chest.left])
    const hip = combine([outwards * (hips as number), pelvis.left])
    const [elbow, wrist, fingers] = limb(shoulder, arm, limbDirections(chest, outwards, posture.arms[side], "forwards"))
    const [knee, ankle, toes] = limb(hip, leg, limbDirections(pelvis, outwards, posture.legs[side], "backwards"))
    return { shoulder, elbow, wrist, fingers, hip, knee, ankle, toes }
  }
  const headTop = combine([1, neck], [head as number, skull.up])
  return { left: bodySide("left"), right: bodySide("right"), neck, headTop, head: skull }
}

/** Where the joints are, in the order of the skeleton. */
export function jointsOf(body: Body): Vector[] {
  return figureJoints.map((name: FigureJoint) => {
    if (name === "neck") return body.neck
    if (name === "head_top") return body.headTop
    const [side, part] = name.split("_") as [Side, keyof BodySide]
    return body[side][part]
  })
}

type Three<T> = readonly [T, T, T]

function limb(from: Vector, sizes: readonly number[], [upper, lower, end]: Three<Vector>): Three<Vector> {
  const [first, second, third] = sizes as [number, number, number]
  const middle = combine([1, from], [first, upper])
  const outer = combine([1, middle], [second, lower])
  return [middle, outer, combine([1, outer], [third, end])]
}

/** The body's own directions as they are seen. */
function cameraFrame({ yaw, tilt, roll }: Posture): Frame {
  const seen = ([x, y, z]: Vector): Vector => {
    const [high, near] = [cos(tilt) * y + sin(tilt) * z, cos(tilt) * z - sin(tilt) * y]
    return [cos(roll) * x - sin(roll) * high, sin(roll) * x + cos(roll) * high, near]
  }
  return {
    up: seen([0, -1, 0]),
    forward: seen([sin(yaw), 0, cos(yaw)]),
    left: seen([cos(yaw), 0, -sin(yaw)]),
  }
}

function trunkFrame({ up, forward, left }: Frame, { pitch, lean }: Posture): Frame {
  const bent = turn(up, forward, pitch)
  const ahead = turn(forward, up, -pitch)
  return { up: turn(bent, left, lean), forward: ahead, left: turn(left, bent, -lean) }
}

/** A head is held upright by half of what the trunk is bent. */
function headFrame({ up, forward, left }: Frame, { pitch, nod, turn: turned }: Posture): Frame {
  const back = nod - 0.5 * pitch
  const [tilted, ahead] = [turn(up, forward, back), turn(forward, up, -back)]
  return { up: tilted, forward: turn(ahead, left, turned), left: turn(left, ahead, -turned) }
}

/** Directions of upper part, lower part and end of a limb; a hand goes on as the forearm, a foot stands off the shin. */
function limbDirections(
  { up, forward, left }: Frame,
  outwards: 1 | -1,
  { swing, spread, bend, twist }: LimbAngles,
  bends: "forwards" | "backwards",
): Three<Vector> {
  const hanging = combine([-cos(swing), up], [sin(swing), forward])
  const upper = combine([cos(spread), hanging], [sin(spread) * outwards, left])
  // Where the limb would go on swinging to.
  const ahead = combine([cos(swing), forward], [sin(swing), up])
  const towards = combine([(bends === "forwards" ? 1 : -1) * cos(twist), ahead], [-sin(twist) * outwards, left])
  const stretched = Math.max(0, bend)
  const lower = turn(upper, towards, stretched)
  return [upper, lower, bends === "forwards" ? lower : turn(upper, towards, stretched - footAngle)]
}
