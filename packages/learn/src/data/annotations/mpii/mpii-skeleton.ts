import type { Skeleton } from "../../people.ts"
import { pairByName } from "../joints.ts"

const names = [
  "right_ankle",
  "right_knee",
  "right_hip",
  "left_hip",
  "left_knee",
  "left_ankle",
  "pelvis",
  "thorax",
  "upper_neck",
  "head_top",
  "right_wrist",
  "right_elbow",
  "right_shoulder",
  "left_shoulder",
  "left_elbow",
  "left_wrist",
] as const

const at = (name: (typeof names)[number]): number => names.indexOf(name)

/** The 16 joints of MPII Human Pose (Andriluka et al. 2014), in the order of its joint ids. */
export const mpiiSkeleton: Skeleton = {
  names,
  bones: [
    [at("right_ankle"), at("right_knee")],
    [at("right_knee"), at("right_hip")],
    [at("right_hip"), at("pelvis")],
    [at("left_ankle"), at("left_knee")],
    [at("left_knee"), at("left_hip")],
    [at("left_hip"), at("pelvis")],
    [at("pelvis"), at("thorax")],
    [at("thorax"), at("upper_neck")],
    [at("upper_neck"), at("head_top")],
    [at("right_wrist"), at("right_elbow")],
    [at("right_elbow"), at("right_shoulder")],
    [at("right_shoulder"), at("thorax")],
    [at("left_wrist"), at("left_elbow")],
    [at("left_elbow"), at("left_shoulder")],
    [at("left_shoulder"), at("thorax")],
  ],
  pairs: pairByName(names).pairs,
}

/** Joints whose distance stands for the head's size where nobody drew its box. */
export const headEnds = [at("upper_neck"), at("head_top")] as const
