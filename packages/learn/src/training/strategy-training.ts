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

/** True where two strategies train the network in just the same way, so that equal labels give equal weights, to the bit. */
export function trainAlike(one: StrategyName, other: StrategyName, config: Pick<RunConfig, "lossModule">): boolean {
  const [a, b] = [strategyTraining(one, config), strategyTraining(other, config)]
  if (a.lossModule !== b.lossModule) return false
  // How a module would be trained says nothing where there is none.
  return a.lossModule === "none" || (a.objective === b.objective && a.readsOutputs === b.readsOutputs)
}

/**
 * The strategy that trains the first cycle for this one: the first of the run that trains alike, which may be itself.
 * Until something is selected, such strategies have the same labels, first weights and batches.
 */
export function leaderOf(name: StrategyName, config: Pick<RunConfig, "strategies" | "lossModule">): StrategyName {
  return config.strategies.find((other) => trainAlike(other, name, config)) ?? name
}
