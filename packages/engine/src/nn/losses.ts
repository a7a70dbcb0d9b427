import { logSoftmax, mul, neg, oneHot, reduceSum } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"

/**
 * Cross-entropy of each sample, -log softmax(logits)[target].
 *
 * @param logits [B, classes]
 * @param targets [B] int64 class indices
 * @returns [B]
 */
export function crossEntropyPerSample(logits: Value, targets: Value): Value {
  return neg(reduceSum(mul(logSoftmax(logits), oneHot(targets, logits.shape[1] as number)), [1]))
}
