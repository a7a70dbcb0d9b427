import type { Box } from "../../boxes.ts"
import type { HeadSize, Joint, PersonCrop } from "../../people.ts"
import type { AnnotatedObject } from "../annotated-set.ts"
import { isLabelled, readJoint } from "../joints.ts"
import { headEnds } from "./mpii-skeleton.ts"

/** One person as MPII's files say it, in pixels counted from 1. */
export interface MpiiPerson {
  /** Name of the image's file. */
  readonly image: string
  readonly center: readonly [x: number, y: number]
  /** Height of the person over 200 pixels. */
  readonly scale: number
  /** Already in continuous pixels. */
  readonly joints: readonly Joint[]
  /** Around the head. */
  readonly headBox: Box | null
  /** Where it stands in which file, for people. */
  readonly file: string
  readonly place: string
}

/** The middle of a pixel that is counted from 1, in continuous pixels from 0. */
const toContinuous = -0.5

/** A joint at pixels counted from 1; one that nobody marked stands at or below 0. */
export function mpiiJoint(x: unknown, y: unknown, visibility: unknown): Joint {
  const joint = readJoint(x, y, visibility)
  if (!isLabelled(joint) || (joint.x <= 0 && joint.y <= 0)) return { x: 0, y: 0, visibility: 0 }
  return { ...joint, x: joint.x + toContinuous, y: joint.y + toContinuous }
}

/**
 * The person as an object of class `person`. Its box is the square of HRNet's loader without its margin, since MPII has
 * no boxes: 200 pixels times the scale, 15 times the scale below the given centre.
 */
export function objectOf({ center: [x, y], scale, joints, headBox, place }: MpiiPerson): AnnotatedObject {
  const center = [x + toContinuous, y + toContinuous + 15 * scale] as const
  const half = 100 * scale
  const square: Box = [center[0] - half, center[1] - half, center[0] + half, center[1] + half]
  const crop: PersonCrop = { center, side: 1.25 * 200 * scale }
  const head = headSize(joints, headBox)
  return {
    className: "person",
    box: square.every(Number.isFinite) ? square : [0, 0, 0, 0],
    joints,
    crop,
    ...(head === null ? {} : { head }),
    place,
  }
}

/** 0.6 times the diagonal of the head's box (Andriluka et al. 2014), else how far apart neck and head top are. */
function headSize(joints: readonly Joint[], box: Box | null): HeadSize | null {
  const diagonal = box === null ? 0 : Math.hypot(box[2] - box[0], box[3] - box[1])
  if (diagonal > 0) return { length: 0.6 * diagonal, from: "head box" }
  const [neck, top] = headEnds.map((index) => joints[index])
  if (neck === undefined || top === undefined || !isLabelled(neck) || !isLabelled(top)) return null
  const length = Math.hypot(neck.x - top.x, neck.y - top.y)
  return length > 0 ? { length, from: "neck to head top" } : null
}
