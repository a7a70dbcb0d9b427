import type { StrategyName } from "@learnloss/contract"
import { coreSet } from "./core-set.ts"
import { entropy } from "./entropy.ts"
import { learningLoss, learningLossMse, learningLossOutputs } from "./learning-loss.ts"
import { random } from "./random.ts"
import type { Strategy } from "./strategy.ts"

/** Every strategy that a run can name. */
export const strategies = {
  random,
  entropy,
  "core-set": coreSet,
  "learning-loss": learningLoss,
  "learning-loss-mse": learningLossMse,
  "learning-loss-outputs": learningLossOutputs,
} as const satisfies Record<StrategyName, Strategy>
