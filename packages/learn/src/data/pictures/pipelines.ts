import type { Preparation, Prepared } from "./pipeline.ts"
import { prepareDetection } from "./prepare-detection.ts"

/** How pictures are prepared for each task that reads pictures of any size. */
export const pipelines = { detection: prepareDetection } as const

/** Tasks whose pictures are prepared as they are needed. */
export type PictureTask = keyof typeof pipelines

type PreparationOf<T extends PictureTask> = Parameters<(typeof pipelines)[T]>[0]
export type TargetOf<T extends PictureTask> = PreparationOf<T>["target"]
export type AugmentationOf<T extends PictureTask> = NonNullable<PreparationOf<T>["change"]>["augmentation"]

/** The pipeline of a task that is known by its name alone. */
export function pipelineOf<T extends PictureTask>(
  task: T,
): (preparation: Preparation<TargetOf<T>, AugmentationOf<T>>) => Promise<Prepared<TargetOf<T>>> {
  return pipelines[task]
}
