import type { TaskName } from "@learnloss/contract"
import type { ClassificationDataset } from "../data/dataset.ts"
import { classification } from "./classification.ts"
import type { Task } from "./task.ts"

/** Every task that a run can name, made for a data set. */
export const tasks = {
  classification: ({ classNames }) => classification(classNames),
} as const satisfies Record<TaskName, (dataset: ClassificationDataset) => Task<number>>
