import { op, type Value } from "@learnloss/engine"

/**
 * The paper's ranking loss (Yoo & Kweon 2019, equation 2) over all pairs of a batch instead of B/2 of them: the mean of
 * max(0, margin - s (p_i - p_j)) over the pairs of unequal target loss, where s is +1 if l_i > l_j and else -1. The network
 * is frozen, so a batch costs little and its pairs cost less; B (B - 1) / 2 of them make the gradient far steadier.
 *
 * @param predictedLoss [B]
 * @param targetLoss [B]
 * @returns scalar; zero where all targets are equal
 */
export function allPairsRanking(predictedLoss: Value, targetLoss: Value, margin: number): Value {
  const batch = predictedLoss.shape[0] as number
  const differences = (value: Value) => op.sub(op.reshape(value, [batch, 1]), op.reshape(value, [1, batch])) // [B, B]
  // Each pair stands in both orders, so those in which the first has the larger loss are all of them.
  const counts = op.where(op.greater(differences(targetLoss), 0), 1, 0)
  const costs = op.mul(counts, op.relu(op.sub(margin, differences(predictedLoss))))
  return op.div(op.reduceSum(costs), op.max(op.reduceSum(counts), 1))
}
