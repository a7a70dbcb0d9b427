import { crossEntropyPerSample, intTensor, op, type Value } from "@learnloss/engine"
import type { Task, TaskMetrics } from "./task.ts"

const targetName = "labels"

/** log(sum(exp(x))) over the last axis, kept as length one, without overflow. */
function logSumExp(x: Value): Value {
  const last = x.shape.length - 1
  const largest = op.reduceMax(x, [last], true)
  return op.add(op.log(op.reduceSum(op.exp(op.sub(x, largest)), [last], true)), largest)
}

/** Entropy of softmax(logits) in nats: [B, classes] to [B, 1]. */
function entropy(logits: Value): Value {
  return op.neg(op.reduceSum(op.mul(op.softmax(logits), op.logSoftmax(logits)), [1], true))
}

function flat(column: Value): Value {
  return op.reshape(column, [column.shape[0] as number])
}

/** One class for each image; targets are class indices. */
export function classification(classNames: readonly string[]): Task<number, number> {
  const classes = classNames.length
  return {
    name: "classification",
    targetInputs: [{ name: targetName, dtype: "int64", shape: [] }],
    encodeTargets: (targets) => ({ [targetName]: intTensor([targets.length], targets) }),
    perSampleLoss: (logits, targets) => crossEntropyPerSample(logits, targets[targetName] as Value),
    outputStatistics(logits) {
      const sorted = op.topK(op.softmax(logits), classes).values
      return op.concat([sorted, entropy(logits), logSumExp(logits), op.reduceMax(logits, [1], true)], 1)
    },
    uncertainty: (logits) => flat(entropy(logits)),
    unconfidence: (logits) => op.sub(1, op.reduceMax(op.softmax(logits), [1])),
    predictionOutput: (logits) => logits,
    decode: argMax,
    countClasses: (targets) => classNames.map((_, index) => targets.filter((target) => target === index).length),
    evaluate: (predictions, targets) => evaluate(predictions, targets, classes),
  }
}

/** Accuracy and the recall of each class; a class that the test set lacks has no recall. */
function evaluate(
  predictions: readonly number[],
  targets: readonly number[],
  classes: number,
): TaskMetrics & { accuracy: number; recallPerClass: (number | null)[] } {
  const seen = new Array<number>(classes).fill(0)
  const right = new Array<number>(classes).fill(0)
  for (const [index, target] of targets.entries()) {
    seen[target] = (seen[target] as number) + 1
    if (predictions[index] === target) right[target] = (right[target] as number) + 1
  }
  const total = right.reduce((sum, count) => sum + count, 0)
  return {
    accuracy: total / targets.length,
    recallPerClass: right.map((count, index) => (seen[index] === 0 ? null : count / (seen[index] as number))),
  }
}

function argMax(values: Float32Array): number {
  let best = 0
  for (let index = 1; index < values.length; index++)
    if ((values[index] as number) > (values[best] as number)) best = index
  return best
}
