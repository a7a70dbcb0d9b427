import { add, cos, greaterOrEqual, mul, where } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"

/**
 * Adds the nodes that turn progress into a factor of the learning rate.
 * Progress is a scalar in [0, 1): steps done over steps in all.
 */
export type Schedule = (progress: Value) => Value

export const constantSchedule: Schedule = (progress) => add(mul(progress, 0), 1)

/** Multiplies the learning rate by gamma from each milestone on (a share of training). */
export const stepSchedule =
  (milestones: readonly number[], gamma: number): Schedule =>
  (progress) =>
    milestones.reduce(
      (factor, milestone) => mul(factor, where(greaterOrEqual(progress, milestone), gamma, 1)),
      constantSchedule(progress),
    )

/** Half a cosine from 1 down to 0 (Loshchilov & Hutter 2017, without restarts). */
export const cosineSchedule: Schedule = (progress) => mul(add(cos(mul(progress, Math.PI)), 1), 0.5)
