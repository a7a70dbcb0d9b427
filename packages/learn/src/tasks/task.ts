import type { FoundObjects, TaskName } from "@learnloss/contract"
import type { ModelTail, Tensor, Value } from "@learnloss/engine"

/** A named graph input that carries targets, for a batch of B samples. */
export interface TargetInput {
  readonly name: string
  readonly dtype: "float32" | "int64"
  /** Shape without the batch axis. */
  readonly shape: readonly number[]
}

/** What the task says about predictions on the test set; its main measure stands under a name in `mainMeasures`. */
export type TaskMetrics = Readonly<Record<string, unknown>>

/** How a written network ends: what follows its output inside the file. */
export interface FileEnding {
  /** By name; what the tail reads is no output of the file. */
  readonly outputs: Readonly<Record<string, Value>>
  readonly tail?: ModelTail | undefined
}

/**
 * What makes a kind of prediction: its targets, its loss for each single sample, and how its output is judged.
 * Nothing else knows what is being predicted.
 */
export interface Task<Target, Prediction = unknown> {
  readonly name: TaskName
  readonly targetInputs: readonly TargetInput[]
  /** Target tensors of a batch, by input name. */
  encodeTargets(targets: readonly Target[]): Readonly<Record<string, Tensor>>
  /** Loss of each sample, [B], from the network's output and the target inputs by name. */
  perSampleLoss(output: Value, targets: Readonly<Record<string, Value>>): Value
  /** Statistics of the output that the loss module may read, [B, S]. */
  outputStatistics(output: Value): Value
  /** Entropy of the prediction, [B]: higher is less certain. */
  uncertainty(output: Value): Value
  /** One minus the probability of the prediction, [B]: plain lack of confidence, the yardstick for the loss module. */
  unconfidence(output: Value): Value
  /** What `decode` reads of the output, [B, ...]. */
  predictionOutput(output: Value): Value
  /**
   * Where each test image is predicted from itself and its mirror image: brings what `decode` reads of both together. Left
   * out, the image alone is looked at.
   */
  readonly flipTest?: (output: Value, mirrored: Value) => Value
  /** What the network says of one sample, from its row of `predictionOutput`, flattened; the row is reused afterwards. */
  decode(row: Float32Array): Prediction
  /** What a file gives in place of the network's output; left out where that is what programs want to read. */
  fileEnding?(output: Value): FileEnding
  /** The objects of a prediction that are worth a look, highest score first; boxes in pixels of the target's image. */
  objectsToShow?(prediction: Prediction, target: Target): FoundObjects["objects"]
  /** How often each class stands in the targets; undefined where classes make no sense. */
  countClasses(targets: readonly Target[]): number[] | undefined
  /** Single things that a person marked in the targets, such as boxes; undefined where a target is one label. */
  countObjects?(targets: readonly Target[]): number
  /**
   * Makes sure, before anything is trained, that targets can be measured against.
   *
   * @throws LearnlossError where they cannot
   */
  requireMeasurable?(targets: readonly Target[]): void
  /** Measures of predictions against targets. */
  evaluate(predictions: readonly Prediction[], targets: readonly Target[]): TaskMetrics
}
