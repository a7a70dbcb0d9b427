import type { RunConfig, TaskName } from "@learnloss/contract"
import type { AnyDataset } from "../data/dataset.ts"
import type { Model } from "../models/model.ts"
import { classification } from "./classification.ts"
import type { Task } from "./task.ts"

/** What a task is made from. */
export interface TaskOptions {
  readonly data: Pick<AnyDataset, "classNames">
  /** The network that is to learn it. */
  readonly model: Model
  readonly config: Pick<RunConfig, "detection">
}

/** Makes a task. */
// biome-ignore lint/suspicious/noExplicitAny: only a task looks into targets and predictions, and only into its own
export type TaskFor = (options: TaskOptions) => Task<any, any>

/** Every task that a run can name. */
export const tasks = {
  classification: ({ data }) => classification(data.classNames),
} as const satisfies Record<TaskName, TaskFor>

/** The task that a run names. */
export function makeTask(name: TaskName, options: TaskOptions): ReturnType<TaskFor> {
  const make: TaskFor = tasks[name]
  return make(options)
}
