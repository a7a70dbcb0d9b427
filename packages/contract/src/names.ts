/** Query strategies, in the order in which help and reports list them. */
export const strategyNames = [
  "random",
  "entropy",
  "core-set",
  "learning-loss",
  "learning-loss-mse",
  "learning-loss-outputs",
] as const
export type StrategyName = (typeof strategyNames)[number]

/** Kinds of prediction a network can be trained for. */
export const taskNames = ["classification", "detection", "pose"] as const
export type TaskName = (typeof taskNames)[number]

/** What a run can compute on. */
export const deviceNames = ["cpu", "webgpu", "cuda", "coreml", "dml"] as const
export type DeviceName = (typeof deviceNames)[number]

/** What the loss prediction module is trained to do. */
export const objectiveNames = ["ranking", "mse"] as const
export type ObjectiveName = (typeof objectiveNames)[number]

/** Networks that a run can name. */
export const modelNames = ["resnet18", "cnn4", "ssd300-vgg16", "ssd-mobile", "hourglass", "hourglass2"] as const
export type ModelName = (typeof modelNames)[number]

/** What each of them predicts. */
export const modelTasks = {
  resnet18: "classification",
  cnn4: "classification",
  "ssd300-vgg16": "detection",
  "ssd-mobile": "detection",
  hourglass: "pose",
  hourglass2: "pose",
} as const satisfies Record<ModelName, TaskName>

/** Data sets and formats that `data:` can name; a format takes a path after a colon. */
export const dataFormats = [
  "cifar10",
  "fashion-mnist",
  "images",
  "shapes",
  "shapes-detection",
  "figures",
  "voc",
  "coco",
  "yolo",
  "mpii",
] as const
export type DataFormat = (typeof dataFormats)[number]

/** Those that are drawn: what stands after the colon is no path. */
export const generatedFormats: readonly string[] = [
  "shapes",
  "shapes-detection",
  "figures",
] satisfies readonly DataFormat[]

/** How the loss prediction module is trained beside the network. */
export const moduleTrainings = ["none", "joint", "detached"] as const
export type ModuleTraining = (typeof moduleTrainings)[number]

/** What candidates are scored in. */
export const scoringPrecisions = ["float32", "int8"] as const
export type ScoringPrecision = (typeof scoringPrecisions)[number]

/** What the loss of an image with several objects is divided by. */
export const lossDivisors = ["positives", "nothing"] as const
export type LossDivisor = (typeof lossDivisors)[number]

/** What happens to samples that cannot be used as they are. */
export const defectPolicies = ["skip", "stop"] as const
export type DefectPolicy = (typeof defectPolicies)[number]

/** What the loss of a person is divided by. */
export const poseLossDivisors = ["joints", "nothing"] as const
export type PoseLossDivisor = (typeof poseLossDivisors)[number]

/** Which samples of a batch the loss module is taught to rank against each other. */
export const rankedPairs = ["halves", "all"] as const
export type RankedPairs = (typeof rankedPairs)[number]

/** What turns gradients into new weights. */
export const optimizerNames = ["sgd", "rmsprop"] as const
export type OptimizerName = (typeof optimizerNames)[number]
