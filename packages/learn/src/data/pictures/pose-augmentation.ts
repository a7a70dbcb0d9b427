import type { RunConfig } from "@learnloss/contract"
import type { Rng } from "@learnloss/engine"
import type { Colour } from "./render-frame.ts"

/** Which random changes are made to pictures of people that are trained on. */
export type PoseAugmentation = Pick<RunConfig["augment"], "scale" | "rotation" | "rotationShare" | "flip" | "colour">

/** The changes drawn for one picture of a person. */
export interface PoseChanges {
  /** Factor of the crop's side: more than 1 shows more around the person. */
  readonly scale: number
  /** By which the crop is turned over the picture, in radians. */
  readonly angle: number
  readonly isMirrored: boolean
  /** Factors of red, green and blue. */
  readonly colours: Colour
}

/** The crop as it is. */
export const noPoseChanges: PoseChanges = { scale: 1, angle: 0, isMirrored: false, colours: [1, 1, 1] }

/**
 * Draws what training changes about one picture of a person, as stacked hourglasses on MPII are trained: scale and
 * rotation from normal distributions that are cut off after one and two deviations, mirroring, and a factor for each
 * channel. The picture plays no part in it.
 */
export function drawPoseChanges(settings: PoseAugmentation, rng: Rng): PoseChanges {
  const { scale, rotation, rotationShare, flip, colour } = settings
  const degrees = clamp(rotation * rng.normal(), 2 * rotation)
  const factor = () => 1 + colour * (2 * rng.float() - 1)
  return {
    scale: 1 + clamp(scale * rng.normal(), scale),
    angle: rng.float() < rotationShare ? (degrees * Math.PI) / 180 : 0,
    isMirrored: rng.float() < 0.5 && flip,
    colours: [factor(), factor(), factor()],
  }
}

/** A number brought to -most..most. */
function clamp(value: number, most: number): number {
  return Math.max(-most, Math.min(value, most))
}
