import type { PersonTarget, Skeleton } from "@learnloss/learn"
import { sureJointScore } from "../report/shown-score.ts"
import type { BodySide, DrawnSkeleton } from "./skeleton-svg.ts"

/** The joints that a person marked in somebody, as they are drawn: hollow where nothing shows them. */
export function labelledSkeleton({ joints }: Pick<PersonTarget, "joints">, skeleton: Skeleton): DrawnSkeleton {
  return {
    bones: skeleton.bones,
    hollow: "hidden",
    joints: joints.map(({ x, y, visibility }, joint) =>
      visibility === 0 ? null : { x, y, side: sideOf(joint, skeleton), isHollow: visibility === 1 },
    ),
  }
}

/**
 * The joints that a network found, as they are drawn: hollow where it is not sure.
 *
 * @param joints in pixels of the picture, in the order of the skeleton
 */
export function foundSkeleton(
  joints: readonly { readonly x: number; readonly y: number; readonly score: number }[],
  skeleton: Skeleton,
): DrawnSkeleton {
  return {
    bones: skeleton.bones,
    hollow: "unsure",
    joints: joints.map(({ x, y, score }, joint) => ({
      x,
      y,
      side: sideOf(joint, skeleton),
      isHollow: score < sureJointScore,
    })),
  }
}

function sideOf(joint: number, { pairs }: Skeleton): BodySide {
  if (pairs.some(([left]) => left === joint)) return "left"
  return pairs.some(([, right]) => right === joint) ? "right" : "middle"
}
