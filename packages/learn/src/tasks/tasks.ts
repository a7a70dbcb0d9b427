import type { TaskName } from "@learnloss/contract"
import type { AnyDataset } from "../data/dataset.ts"
import type { Model } from "../models/model.ts"
import { classification } from "./classification.ts"
import type { Task } from "./task.ts"

/** Makes a task. */
// biome-ignore lint/suspicious/noExplicitAny: only a task looks into targets and predictions, and only into its own
export type TaskFor = (dataset: AnyDataset, model: Model) => Task<any, any>

/** Every task that a run can name, made for a data set and the network that is to learn it. */
export const tasks = {
  classification: ({ classNames }) => classification(classNames),
} as const satisfies Record<TaskName, TaskFor>
