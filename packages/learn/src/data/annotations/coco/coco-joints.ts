import type { Joint, Skeleton } from "../../people.ts"
import { tidy } from "../check-objects.ts"
import { isLabelled, pairByName, readJoint } from "../joints.ts"
import type { CocoCategoryJson, JsonObject } from "./coco-json.ts"

/**
 * What a category says of its joints: names in `keypoints`, and bones, which count from 1, in `skeleton`; undefined when
 * it has none. Left and right are told by the names, for COCO has no place for it.
 *
 * @param tell is told what is wrong
 */
export function readCocoSkeleton(
  { keypoints: names, skeleton = [] }: CocoCategoryJson,
  tell: (kind: "bad-skeleton" | "unpaired-names", reason: string) => void,
): Skeleton | undefined {
  if (names === undefined || (Array.isArray(names) && names.length === 0)) return undefined
  if (!isNameList(names)) {
    tell("bad-skeleton", "keypoints are no list of different names: its joints are not read")
    return undefined
  }
  const { pairs, unpaired } = pairByName(names)
  const isBone = (bone: unknown): bone is [number, number] =>
    Array.isArray(bone) &&
    bone.length === 2 &&
    bone.every((end) => Number.isInteger(end) && names[end - 1] !== undefined)
  const listed: readonly unknown[] = Array.isArray(skeleton) ? skeleton : [skeleton]
  const bones = listed.filter(isBone).map(([from, to]) => [from - 1, to - 1] as const)
  if (bones.length < listed.length)
    tell(
      "bad-skeleton",
      `skeleton has ${listed.length - bones.length} bones that join no two of its ${names.length} joints`,
    )
  if (unpaired.length > 0) tell("unpaired-names", `left/right names unpaired: ${unpaired.join(", ")}`)
  else if (pairs.length === 0 && names.length > 1)
    tell("unpaired-names", "its keypoints' names do not tell left from right, so pictures are not mirrored")
  return { names, bones, pairs }
}

function isNameList(names: unknown): names is string[] {
  return Array.isArray(names) && names.every((name) => typeof name === "string") && new Set(names).size === names.length
}

/** Joints out of `keypoints` of an annotation: x, y and visibility of each in turn. */
export function readCocoJoints(keypoints: readonly unknown[]): Joint[] {
  return Array.from({ length: Math.ceil(keypoints.length / 3) }, (_, index) =>
    readJoint(...(keypoints.slice(3 * index, 3 * index + 3) as [unknown, unknown, unknown])),
  )
}

/** What an annotation says of joints. */
export function cocoJoints(joints: readonly Joint[]): JsonObject {
  const known = joints.map((joint) => (Number.isFinite(joint.x) ? joint : { x: 0, y: 0, visibility: 0 as const }))
  return {
    keypoints: known.flatMap(({ x, y, visibility }) => [tidy(x), tidy(y), visibility]),
    num_keypoints: known.filter(isLabelled).length,
  }
}

/** What a category says of joints. */
export function cocoSkeleton({ names, bones }: Skeleton): JsonObject {
  return { keypoints: names, skeleton: bones.map(([from, to]) => [from + 1, to + 1]) }
}
