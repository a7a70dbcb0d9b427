import type { TaskName } from "./names.ts"

/** What a task is judged by before all else, in 0..1. */
export interface MainMeasure {
  /** Its name among the metrics of a cycle record. */
  readonly name: string
  /** How reports call it. */
  readonly title: string
  /** How reports call the strategy that has most of it. */
  readonly best: string
  /** What it says, where its name does not; a sentence. */
  readonly says?: string
}

/** The main measure of every task: the first that its test set allows, most wanted first. */
export const mainMeasures = {
  classification: [{ name: "accuracy", title: "accuracy", best: "the most accurate strategy" }],
  detection: [{ name: "mAP", title: "mAP@0.5", best: "the strategy with the highest mAP@0.5" }],
  pose: [
    {
      name: "PCKh",
      title: "PCKh@0.5",
      best: "the strategy with the highest PCKh@0.5",
      says: "PCKh@0.5 is the share of joints found within half the length of the person's head.",
    },
    {
      name: "PCK",
      title: "PCK@0.2",
      best: "the strategy with the highest PCK@0.2",
      says: "PCK@0.2 is the share of joints found within a fifth of the longer side of the person's box, which is coarse: skeletons may look rough at 75%.",
    },
  ],
} as const satisfies Record<TaskName, readonly [MainMeasure, ...MainMeasure[]]>

/** The main measure that stands among some metrics; undefined where none does. */
export function mainMeasureIn(metrics: Readonly<Record<string, unknown>>): MainMeasure | undefined {
  return Object.values<readonly MainMeasure[]>(mainMeasures)
    .flat()
    .find(({ name }) => {
      const value = metrics[name]
      return typeof value === "number" && value >= 0 && value <= 1
    })
}

/** Its value, 0..1. */
export function mainValue(metrics: Readonly<Record<string, unknown>>): number {
  const measure = mainMeasureIn(metrics)
  return measure === undefined ? Number.NaN : (metrics[measure.name] as number)
}
