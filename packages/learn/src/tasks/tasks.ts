import { modelNames, modelTasks, type RunConfig, type TaskName } from "@learnloss/contract"
import { InternalError, LearnlossError } from "@learnloss/engine"
import { type AnyDataset, isPictures, type PictureDataset } from "../data/dataset.ts"
import type { Model } from "../models/model.ts"
import { classification } from "./classification.ts"
import { detection } from "./detection/detection.ts"
import { pose } from "./pose/pose.ts"
import type { Task } from "./task.ts"

/** What a task is made from. */
export interface TaskOptions {
  readonly data: Pick<PictureDataset<unknown>, "classNames" | "skeleton">
  /** The network that is to learn it. */
  readonly model: Model
  readonly config: Pick<RunConfig, "detection" | "pose">
}

/** Makes a task. */
// biome-ignore lint/suspicious/noExplicitAny: only a task looks into targets and predictions, and only into its own
export type TaskFor = (options: TaskOptions) => Task<any, any>

/** Every task that a run can name. */
export const tasks = {
  classification: ({ data }) => classification(data.classNames),
  detection: ({ data, model, config }) => detection(data.classNames, known(model.defaultBoxes), config.detection),
  pose: ({ data, model, config }) => pose(data, known(model.heatmaps), config.pose),
} as const satisfies Record<TaskName, TaskFor>

/** What a network predicts that is made for a task. */
const predicted = {
  classification: "a class for the whole image",
  detection: "boxes",
  pose: "a heat-map of each joint",
} as const satisfies Record<TaskName, string>

/** What the images of each task are: in memory, all of one size; pictures in files; or people in such pictures. */
export const imagesOf = {
  classification: "in memory",
  detection: "pictures",
  pose: "people",
} as const satisfies Record<TaskName, ImageKind>

/** How the images of a task are held. */
export type ImageKind = keyof typeof described
const described = {
  pictures: "images with boxes",
  "in memory": "images of one class each",
  people: "people with joints",
} as const

/**
 * Makes sure that data are what a task learns from.
 *
 * @throws LearnlossError `DATA_OF_ANOTHER_TASK`
 */
export function requireDataOf({ task, data }: Pick<RunConfig, "task" | "data">, dataset: AnyDataset): void {
  const kind = kindOf(dataset)
  if (kind === imagesOf[task]) return
  const meant = Object.entries(imagesOf).find(([, each]) => each === kind)?.[0]
  throw new LearnlossError("DATA_OF_ANOTHER_TASK", {
    where: data,
    expected: `${described[imagesOf[task]]}, as task ${task} needs them`,
    got: described[kind],
    fix: `Name other data, or a preset of task ${meant}.`,
  })
}

function kindOf(dataset: AnyDataset): ImageKind {
  if (!isPictures(dataset)) return "in memory"
  return dataset.skeleton === undefined ? "pictures" : "people"
}

/**
 * The task that a run names.
 *
 * @throws LearnlossError `MODEL_OF_ANOTHER_TASK` for a network that predicts something else
 */
export function makeTask(name: TaskName, options: TaskOptions): ReturnType<TaskFor> {
  const own = taskOf(options.model)
  if (own !== name) {
    throw new LearnlossError("MODEL_OF_ANOTHER_TASK", {
      where: "model",
      expected: `a network that predicts ${predicted[name]}, as task ${name} needs one`,
      got: `one that predicts ${predicted[own]}`,
      fix: `Set task to ${own}, or name another model: ${modelNames.filter((each) => modelTasks[each] === name).join(", ")}.`,
    })
  }
  const make: TaskFor = tasks[name]
  return make(options)
}

function taskOf({ defaultBoxes, heatmaps }: Model): TaskName {
  if (heatmaps !== undefined) return "pose"
  return defaultBoxes === undefined ? "classification" : "detection"
}

/** What the network of a task has, which was made sure of. */
function known<T>(value: T | undefined): T {
  if (value === undefined) throw new InternalError("a network of another task")
  return value
}
