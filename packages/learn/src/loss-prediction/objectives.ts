import type { ObjectiveName } from "@learnloss/contract"
import { op, type Value } from "@learnloss/engine"

/**
 * How the module's predictions are compared with the target losses of the same batch.
 *
 * @param predictedLoss [B]
 * @param targetLoss [B]; no gradient flows into it
 * @returns scalar
 */
export type Objective = (predictedLoss: Value, targetLoss: Value, options: { readonly margin: number }) => Value

/**
 * Pairwise ranking with a margin (Yoo & Kweon 2019, equations 2 and 3): sample i is paired with i + B/2, and the mean of
 * max(0, -s (p_i - p_j) + margin) over the B/2 pairs is taken, where s is +1 if l_i > l_j and else -1, ties included.
 */
const ranking: Objective = (predictedLoss, targetLoss, { margin }) => {
  const batch = predictedLoss.shape[0] as number
  const half = batch / 2
  const halves = (value: Value) => [op.slice(value, 0, 0, half), op.slice(value, 0, half, batch)] as const
  const [predictedFirst, predictedSecond] = halves(predictedLoss)
  const [targetFirst, targetSecond] = halves(op.stopGradient(targetLoss))
  const order = op.where(op.greater(targetFirst, targetSecond), 1, -1)
  return op.reduceMean(op.relu(op.sub(margin, op.mul(order, op.sub(predictedFirst, predictedSecond)))))
}

/** Mean squared error of predicted and target loss: the paper's ablation. */
const mse: Objective = (predictedLoss, targetLoss) => {
  const difference = op.sub(predictedLoss, op.stopGradient(targetLoss))
  return op.reduceMean(op.mul(difference, difference))
}

export const objectives = { ranking, mse } as const satisfies Record<ObjectiveName, Objective>
