import type { Preparation, Prepared } from "./pipeline.ts"
import { prepareDetection } from "./prepare-detection.ts"
import { preparePose } from "./prepare-pose.ts"

/**
 * How pictures are prepared for each task that reads pictures of any size. `keptSides` is the longest side of a picture
 * that is kept in memory, in sides of the network's input: a third of 3 still has as many pixels as the input; a person
 * may be any small part of a picture, which is kept whole.
 */
export const pipelines = {
  detection: { prepare: prepareDetection, keptSides: 3 },
  pose: { prepare: preparePose, keptSides: Number.POSITIVE_INFINITY },
} as const

/** Tasks whose pictures are prepared as they are needed. */
export type PictureTask = keyof typeof pipelines

type PreparationOf<T extends PictureTask> = Parameters<(typeof pipelines)[T]["prepare"]>[0]
export type TargetOf<T extends PictureTask> = PreparationOf<T>["target"]
export type AugmentationOf<T extends PictureTask> = NonNullable<PreparationOf<T>["change"]>["augmentation"]

/** The pipeline of one task. */
export interface Pipeline<T extends PictureTask> {
  readonly prepare: (preparation: Preparation<TargetOf<T>, AugmentationOf<T>>) => Promise<Prepared<TargetOf<T>>>
  readonly keptSides: number
}

/** The pipeline of a task that is known by its name alone. */
export function pipelineOf<T extends PictureTask>(task: T): Pipeline<T> {
  const byTask: { readonly [Name in PictureTask]: Pipeline<Name> } = pipelines
  return byTask[task]
}
