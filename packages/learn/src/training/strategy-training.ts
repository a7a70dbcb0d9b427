import type { RunConfig, StrategyName } from "@learnloss/contract"
import { LearnlossError } from "@learnloss/engine"
import { strategies } from "../strategies/strategies.ts"
import type { StrategyTraining } from "../strategies/strategy.ts"

/**
 * How the network is trained for a strategy under the settings: as the strategy says, or with `lossModule.training` for
 * all strategies alike, as a control.
 *
 * @throws LearnlossError `MODULE_NOT_TRAINED` when a strategy would read predictions of a module that is not trained
 */
export function strategyTraining(name: StrategyName, { lossModule }: Pick<RunConfig, "lossModule">): StrategyTraining {
  const { training, needs } = strategies[name]
  const chosen = lossModule.training === "by-strategy" ? training : { ...training, lossModule: lossModule.training }
  if (chosen.lossModule === "none" && (needs as readonly string[]).includes("predictedLoss")) {
    throw new LearnlossError("MODULE_NOT_TRAINED", {
      where: `strategy ${name}`,
      expected: "a loss module that is trained in every cycle",
      got: "lossModule.training: none",
      fix: "Leave this strategy out, or set lossModule.training to by-strategy, joint or detached.",
    })
  }
  return chosen
}
