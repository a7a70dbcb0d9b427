import type { Skeleton } from "../people.ts"

/** Joints of a drawn figure, in the order and with the names of Leeds Sports Pose. */
export const figureJoints = [
  "right_ankle",
  "right_knee",
  "right_hip",
  "left_hip",
  "left_knee",
  "left_ankle",
  "right_wrist",
  "right_elbow",
  "right_shoulder",
  "left_shoulder",
  "left_elbow",
  "left_wrist",
  "neck",
  "head_top",
] as const
export type FigureJoint = (typeof figureJoints)[number]

export const sides = ["left", "right"] as const
export type Side = (typeof sides)[number]

const limbs = [
  ["shoulder", "elbow"],
  ["elbow", "wrist"],
  ["hip", "knee"],
  ["knee", "ankle"],
  ["shoulder", "hip"],
] as const

export const figureSkeleton: Skeleton = {
  names: figureJoints,
  bones: [
    ...sides.flatMap((side) => [
      ...limbs.map(([from, to]) => bone(`${side}_${from}`, `${side}_${to}`)),
      bone("neck", `${side}_shoulder`),
    ]),
    bone("left_hip", "right_hip"),
    bone("neck", "head_top"),
  ],
  pairs: (["shoulder", "elbow", "wrist", "hip", "knee", "ankle"] as const).map((part) =>
    bone(`left_${part}`, `right_${part}`),
  ),
}

function bone(from: FigureJoint, to: FigureJoint): readonly [number, number] {
  return [figureJoints.indexOf(from), figureJoints.indexOf(to)]
}
