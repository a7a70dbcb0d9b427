import type { Rng } from "@learnloss/engine"
import { type Colour, drawColour } from "../shapes/paint.ts"
import { type FigureJoint, figureJoints, type Side, sides } from "./figure-skeleton.ts"
import { type Body, type BodySide, jointsOf } from "./pose-body.ts"
import { capsule, type HeadLook, headSurface, type Light, roundedPolygon, type Surface } from "./surfaces.ts"
import { combine, type Vector } from "./vectors.ts"

/** Colours of a person, alike on the left and the right. */
export interface Look {
  readonly head: HeadLook
  readonly shirt: Colour
  readonly sleeves: Colour
  readonly trousers: Colour
  readonly shins: Colour
  readonly shoes: Colour
}

/** A part of a person that is painted at once. */
export interface BodyPart {
  /** Joints that it shows, by position in the skeleton. */
  readonly joints: readonly number[]
  readonly surface: Surface
}

/** A body in a picture, and what is painted of it, from the farthest part to the nearest. */
export interface DressedBody {
  /** In pixels, in the order of the skeleton. */
  readonly joints: readonly { readonly x: number; readonly y: number }[]
  readonly parts: readonly BodyPart[]
  readonly head: Surface
}

const skins: readonly Colour[] = [
  [241, 194, 165],
  [224, 172, 128],
  [198, 134, 92],
  [141, 85, 54],
  [96, 58, 40],
]
const hairs: readonly Colour[] = [
  [35, 26, 20],
  [72, 46, 28],
  [128, 84, 44],
  [208, 170, 100],
  [150, 150, 152],
  [140, 52, 28],
]
/** Half widths of the parts of a body, of its height: at both ends of each. */
const radii = {
  upperArm: [0.042, 0.033],
  forearm: [0.033, 0.025],
  hand: [0.026, 0.022],
  thigh: [0.062, 0.044],
  shin: [0.043, 0.03],
  foot: [0.032, 0.024],
  neck: [0.036, 0.036],
  hips: [0.066, 0.066],
  trunk: 0.05,
  head: { height: 0.44, breadth: 0.36 },
} as const
/** Arms lie over the trunk where both are equally near. */
const armLead = 0.03

/** Draws colours of skin, hair and clothes. */
export function drawLook(rng: Rng): Look {
  const skin = skins[rng.integer(skins.length)] as Colour
  const [shirt, trousers] = [drawColour(20, 250, rng), drawColour(10, 220, rng)]
  const head = {
    skin,
    hair: hairs[rng.integer(hairs.length)] as Colour,
    eyes: [28, 24, 30],
    mouth: [150, 44, 44],
    hairline: 0.25 * rng.float(),
  } as const
  return {
    head,
    shirt,
    sleeves: rng.float() < 0.5 ? shirt : skin,
    trousers,
    shins: rng.float() < 0.65 ? trousers : skin,
    shoes: drawColour(10, 250, rng),
  }
}

/**
 * Brings a body to a place in a picture and dresses it.
 *
 * @param size of the body in pixels
 * @param place of the middle of its hips, in pixels
 */
export function dressBody(
  body: Body,
  look: Look,
  { size, place, light }: { readonly size: number; readonly place: readonly [number, number]; readonly light: Light },
): DressedBody {
  const at = ([x, y]: Vector): readonly [number, number] => [place[0] + size * x, place[1] + size * y]
  const indices = (names: readonly FigureJoint[]) => names.map((name) => figureJoints.indexOf(name))
  const headLength = Math.hypot(...combine([1, body.headTop], [-1, body.neck]))
  const headCenter = combine([1, body.neck], [headLength * (1 - radii.head.height), body.head.up])
  const headSize = { height: size * headLength * radii.head.height, breadth: size * headLength * radii.head.breadth }
  const head = headSurface(at(headCenter), body.head, headSize, look.head, light)
  const trunk = trunkCorners(body)
  const round = [...middleParts(body, headCenter, look), ...sides.flatMap((side) => limbParts(side, body[side], look))]
  const parts = [
    {
      depth: depthOf(trunk),
      joints: indices(["neck", "left_shoulder", "right_shoulder", "left_hip", "right_hip"]),
      surface: roundedPolygon(trunk.map(at), size * radii.trunk, look.shirt, light),
    },
    { depth: headCenter[2], joints: indices(["neck", "head_top"]), surface: head },
    ...round.map(({ part, from, to, colour, joints, lead }) => {
      const [first, last] = radii[part]
      const surface = capsule(at(from), at(to), [size * first, size * last], colour, light)
      return { depth: depthOf([from, to]) + lead, joints: indices(joints), surface }
    }),
  ]
  const joints = jointsOf(body).map((joint) => ({ x: at(joint)[0], y: at(joint)[1] }))
  return { joints, parts: parts.toSorted((a, b) => a.depth - b.depth), head }
}

/** A part with round ends. */
interface RoundPart {
  readonly part: Exclude<keyof typeof radii, "trunk" | "head">
  readonly from: Vector
  readonly to: Vector
  readonly colour: Colour
  readonly joints: readonly FigureJoint[]
  /** Added to its depth. */
  readonly lead: number
}

function middleParts(body: Body, headCenter: Vector, look: Look): RoundPart[] {
  const { left, right, neck } = body
  return [
    {
      part: "hips",
      from: left.hip,
      to: right.hip,
      colour: look.trousers,
      joints: ["left_hip", "right_hip"],
      lead: -0.01,
    },
    { part: "neck", from: neck, to: headCenter, colour: look.head.skin, joints: ["neck"], lead: -0.01 },
  ]
}

function limbParts(side: Side, half: BodySide, look: Look): RoundPart[] {
  const { shoulder, elbow, wrist, fingers, hip, knee, ankle, toes } = half
  const name = <T extends string>(part: T) => `${side}_${part}` as const
  const lead = armLead
  return [
    { part: "thigh", from: hip, to: knee, colour: look.trousers, joints: [name("hip"), name("knee")], lead: 0 },
    { part: "shin", from: knee, to: ankle, colour: look.shins, joints: [name("knee"), name("ankle")], lead: 0 },
    { part: "foot", from: ankle, to: toes, colour: look.shoes, joints: [name("ankle")], lead: 0.005 },
    {
      part: "upperArm",
      from: shoulder,
      to: elbow,
      colour: look.shirt,
      joints: [name("shoulder"), name("elbow")],
      lead,
    },
    { part: "forearm", from: elbow, to: wrist, colour: look.sleeves, joints: [name("elbow"), name("wrist")], lead },
    { part: "hand", from: wrist, to: fingers, colour: look.head.skin, joints: [name("wrist")], lead },
  ]
}

/** Shoulders and hips, drawn in a little since the edge of a trunk is round. */
function trunkCorners({ left, right }: Body): Vector[] {
  const inwards = (from: Vector, to: Vector, share: number) => combine([1 - share, from], [share, to])
  return [
    inwards(left.shoulder, right.shoulder, 0.14),
    inwards(right.shoulder, left.shoulder, 0.14),
    inwards(right.hip, left.hip, 0.1),
    inwards(left.hip, right.hip, 0.1),
  ]
}

function depthOf(places: readonly Vector[]): number {
  return places.reduce((sum, [, , z]) => sum + z, 0) / places.length
}
