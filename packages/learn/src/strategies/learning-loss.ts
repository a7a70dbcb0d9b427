import type { Strategy } from "./strategy.ts"
import { topScores } from "./top-scores.ts"

/** The largest predicted losses first (Yoo & Kweon 2019): the module is trained jointly by pairwise ranking. */
export const learningLoss: Strategy = {
  needs: ["predictedLoss"],
  training: { lossModule: "joint", objective: "ranking", readsOutputs: false },
  select: ({ ids, predictedLoss }, n, rng) => topScores(ids, predictedLoss, n, rng),
}

/** The paper's ablation: the module regresses the loss instead of ranking it. */
export const learningLossMse: Strategy = {
  ...learningLoss,
  training: { lossModule: "joint", objective: "mse", readsOutputs: false },
}

/** The module also reads statistics of the network's output, and its gradient never reaches the network. */
export const learningLossOutputs: Strategy = {
  ...learningLoss,
  training: { lossModule: "detached", objective: "ranking", readsOutputs: true },
}
