import type { ObjectiveName, RankedPairs } from "@learnloss/contract"
import { floatTensor, op, type Value } from "@learnloss/engine"
import type { Remembered } from "./module.ts"

export interface ObjectiveOptions {
  readonly margin: number
  /** Which pairs of a batch are ranked. */
  readonly pairs: RankedPairs
}

/** How the module's predictions are compared with the target losses of the same batch. */
export interface Objective {
  /** Whether samples are compared with each other, so that `pairs` and remembered samples mean something. */
  readonly ranksPairs: boolean
  /**
   * @param predictedLoss [B]
   * @param targetLoss [B]; no gradient flows into it
   * @param remembered samples of earlier steps
   * @returns scalar
   */
  loss(predictedLoss: Value, targetLoss: Value, options: ObjectiveOptions, remembered?: Remembered): Value
}

interface Samples {
  readonly predictedLoss: Value
  readonly targetLoss: Value
}

/** What pairs cost together, and how many they are: scalars. */
interface Pairs {
  readonly cost: Value
  readonly count: Value
}

/** Sample i with sample i + B/2: max(0, -s (p_i - p_j) + margin), where s is +1 if l_i > l_j and else -1, ties included. */
function halves({ predictedLoss, targetLoss }: Samples, margin: number): Pairs {
  const batch = predictedLoss.shape[0] as number
  const parts = (value: Value) => [op.slice(value, 0, 0, batch / 2), op.slice(value, 0, batch / 2, batch)] as const
  const [predictedFirst, predictedSecond] = parts(predictedLoss)
  const [targetFirst, targetSecond] = parts(targetLoss)
  const order = op.where(op.greater(targetFirst, targetSecond), 1, -1)
  const costs = op.relu(op.sub(margin, op.mul(order, op.sub(predictedFirst, predictedSecond)))) // [B/2]
  const count = floatTensor([], Float32Array.of(batch / 2))
  return { cost: op.reduceSum(costs), count: costs.graph.constant(count, "pairs") }
}

/**
 * Every one of n samples with every one of m others that has a smaller target loss: max(0, margin - (p_i - p_j)).
 *
 * @param weights of the pairs, broadcast to [n, m]
 */
function above(samples: Samples, others: Samples, margin: number, weights?: Value): Pairs {
  const differences = (of: keyof Samples) =>
    op.sub(
      op.reshape(samples[of], [samples[of].shape[0] as number, 1]),
      op.reshape(others[of], [1, others[of].shape[0] as number]),
    ) // [n, m]
  const isAbove = op.where(op.greater(differences("targetLoss"), 0), 1, 0)
  const counted = weights === undefined ? isAbove : op.mul(isAbove, weights)
  const costs = op.mul(counted, op.relu(op.sub(margin, differences("predictedLoss"))))
  return { cost: op.reduceSum(costs), count: op.reduceSum(counted) }
}

const pairsOfBatch = {
  halves,
  all: (samples, margin) => above(samples, samples, margin),
} as const satisfies Record<RankedPairs, (samples: Samples, margin: number) => Pairs>

/** Each sample of the batch with each remembered one; places that are still empty have no pairs. */
function pairsWithMemory(samples: Samples, remembered: Remembered, margin: number): readonly Pairs[] {
  const { isFilled } = remembered
  const size = isFilled.shape[0] as number
  return [
    above(samples, remembered, margin, op.reshape(isFilled, [1, size])),
    above(remembered, samples, margin, op.reshape(isFilled, [size, 1])),
  ]
}

/**
 * Pairwise ranking with a margin (Yoo & Kweon 2019, equations 2 and 3): the mean of max(0, -s (p_i - p_j) + margin) over
 * pairs of samples, where s is +1 if l_i > l_j and -1 if l_i < l_j. As in the paper the pairs are (i, i + B/2), B/2 of them,
 * and s is -1 in a tie; or they are all B (B - 1) / 2 of a batch. Each sample may be paired with every remembered one
 * besides. A tie among these further pairs has no order to learn and is no pair. Without any pair the loss is zero.
 */
const ranking: Objective = {
  ranksPairs: true,
  loss(predictedLoss, targetLoss, { margin, pairs }, remembered) {
    const samples = { predictedLoss, targetLoss: op.stopGradient(targetLoss) }
    const ranked = [pairsOfBatch[pairs](samples, margin)]
    if (remembered !== undefined) ranked.push(...pairsWithMemory(samples, remembered, margin))
    const total = (of: keyof Pairs) => ranked.map((each) => each[of]).reduce((sum, part) => op.add(sum, part))
    return op.div(total("cost"), op.max(total("count"), 1))
  },
}

/** Mean squared error of predicted and target loss: the paper's ablation. */
const mse: Objective = {
  ranksPairs: false,
  loss(predictedLoss, targetLoss) {
    const difference = op.sub(predictedLoss, op.stopGradient(targetLoss))
    return op.reduceMean(op.mul(difference, difference))
  },
}

export const objectives = { ranking, mse } as const satisfies Record<ObjectiveName, Objective>
