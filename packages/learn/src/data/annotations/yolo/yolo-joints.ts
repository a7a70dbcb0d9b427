import type { Joint, Skeleton } from "../../people.ts"
import { isObject, type JsonObject } from "../coco/coco-json.ts"
import { cocoPerson, isLabelled, pairByFlip, pairByName, readJoint, unpairedJoints } from "../joints.ts"

/** What follows the box on a line: two numbers for each joint, or three with its visibility. */
export interface JointShape {
  readonly joints: number
  readonly numbers: 2 | 3
}

/** What the YAML file says of joints, which all classes share but for their names. */
export interface YoloJoints {
  /** Null when lines have boxes or polygons only. */
  readonly shape: JointShape | null
  readonly skeletons: ReadonlyMap<string, Skeleton>
}

/** Far above any skeleton. */
const mostJoints = 1000

/**
 * Reads `kpt_shape: [17, 3]`, `flip_idx` (for each joint the one that it becomes in a mirrored picture) and, where they
 * are, `kpt_names` (by class). Without names, 17 joints that change places as COCO's do are taken for COCO's.
 *
 * @param tell is told what is wrong
 */
export function readYoloJoints(
  yaml: JsonObject,
  classNames: readonly string[],
  tell: (kind: "bad-skeleton" | "unpaired-names", reason: string) => void,
): YoloJoints {
  if (yaml.kpt_shape === undefined) return { shape: null, skeletons: new Map() }
  const [joints, numbers] = (Array.isArray(yaml.kpt_shape) ? yaml.kpt_shape : []) as readonly unknown[]
  if (!(Number.isInteger(joints) && inRange(joints as number, mostJoints)) || (numbers !== 2 && numbers !== 3)) {
    tell("bad-skeleton", "kpt_shape is not a number of joints and 2 or 3: joints are not read")
    return { shape: null, skeletons: new Map() }
  }
  const shape = { joints: joints as number, numbers } as const
  const flip = readFlip(yaml.flip_idx, shape.joints)
  if (flip === undefined && yaml.flip_idx !== undefined)
    tell("bad-skeleton", `flip_idx does not exchange ${joints} joints: left and right are told by the names`)
  const skeletons = new Map<string, Skeleton>()
  for (const [index, name] of classNames.entries()) {
    const names = readNames(yaml.kpt_names, index, shape.joints)
    skeletons.set(name, skeletonOf(names, flip, shape.joints))
  }
  const [first] = skeletons.values()
  if (first !== undefined) noteSides(first, flip === undefined, tell)
  return { shape, skeletons }
}

function inRange(count: number, most: number): boolean {
  return count > 0 && count <= most
}

function readFlip(flip: unknown, joints: number): readonly number[] | undefined {
  if (!Array.isArray(flip) || flip.length !== joints) return undefined
  return flip.every((other, index) => flip[other as number] === index) ? (flip as number[]) : undefined
}

function readNames(names: unknown, classIndex: number, joints: number): readonly string[] | undefined {
  const own: unknown = isObject(names) ? (names[classIndex] ?? names[0]) : names
  if (!Array.isArray(own) || own.length !== joints || !own.every((name) => typeof name === "string")) return undefined
  return new Set(own).size === joints ? own : undefined
}

function skeletonOf(
  named: readonly string[] | undefined,
  flip: readonly number[] | undefined,
  joints: number,
): Skeleton {
  const isCoco = JSON.stringify(flip) === JSON.stringify(flipOf(cocoPerson))
  if (isCoco && (named === undefined || named.join() === cocoPerson.names.join())) return cocoPerson
  const names = named ?? Array.from({ length: joints }, (_, index) => `joint-${index}`)
  return { names, bones: [], pairs: flip === undefined ? pairByName(names).pairs : pairByFlip(names, flip) }
}

function noteSides(
  { names, pairs }: Skeleton,
  isByName: boolean,
  tell: (kind: "unpaired-names", reason: string) => void,
): void {
  const { unpaired } = pairByName(names)
  if (isByName && unpaired.length > 0) tell("unpaired-names", `left/right names unpaired: ${unpaired.join(", ")}`)
  else if (pairs.length === 0)
    tell("unpaired-names", "neither flip_idx nor names tell left from right, so pictures are not mirrored")
}

/** For each joint the one that it becomes in a mirrored picture. */
function flipOf({ names, pairs }: Skeleton): number[] {
  const flip = names.map((_, index) => index)
  for (const [left, right] of pairs) [flip[left], flip[right]] = [right, left]
  return flip
}

/** What the YAML file has to say of joints. */
export function yoloSkeleton(skeleton: Skeleton, classNames: readonly string[]): JsonObject {
  return {
    kpt_shape: [skeleton.names.length, 3],
    // Where nobody knows what is left, a list in which every joint stays would say that somebody did.
    ...(skeleton.pairs.length > 0 && unpairedJoints(skeleton).length === 0 ? { flip_idx: flipOf(skeleton) } : {}),
    kpt_names: Object.fromEntries(classNames.map((_, index) => [index, skeleton.names])),
  }
}

/** Joints out of the numbers after a box; one at 0, 0 without a visibility counts as not labelled, as YOLO pads with it. */
export function readYoloJointNumbers(
  numbers: readonly number[],
  { joints, numbers: each }: JointShape,
  { width, height }: { readonly width: number; readonly height: number },
): Joint[] {
  return Array.from({ length: joints }, (_, index) => {
    const [x = 0, y = 0, visibility = x < 0 || y < 0 || (x === 0 && y === 0) ? 0 : 2] = numbers.slice(
      each * index,
      each * (index + 1),
    )
    return readJoint(x * width, y * height, visibility)
  })
}

/** The numbers that say where joints are; those that are not labelled, or lie outside the image, are zeros. */
export function yoloJointNumbers(
  joints: readonly Joint[],
  { joints: count, numbers }: JointShape,
  { width, height }: { readonly width: number; readonly height: number },
): number[] {
  return Array.from({ length: count }, (_, index) => {
    const joint = joints[index]
    const isKept = joint !== undefined && isLabelled(joint) && isInside(joint, { width, height })
    return (isKept ? [joint.x / width, joint.y / height, joint.visibility] : [0, 0, 0]).slice(0, numbers)
  }).flat()
}

/** Whether a joint lies in the image, without which YOLO leaves out the whole image. */
export function isInside(
  { x, y }: Joint,
  { width, height }: { readonly width: number; readonly height: number },
): boolean {
  return x >= 0 && y >= 0 && x <= width && y <= height
}
