import { logSoftmax, mul, neg, oneHot, reduceSum } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"

/**
 * Cross-entropy of each sample, -log softmax(logits)[target].
 *
 * @param logits [B, classes], or [B, ..., classes]
 * @param targets int64 class indices, of the logits' shape without the last axis
 * @returns of the targets' shape
 */
export function crossEntropyPerSample(logits: Value, targets: Value): Value {
  return neg(reduceSum(mul(logSoftmax(logits), oneHot(targets, logits.shape.at(-1) as number)), [-1]))
}
