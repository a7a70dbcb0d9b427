import { type Strategy, withoutModule } from "./strategy.ts"
import { topScores } from "./top-scores.ts"

/** The least certain predictions first (Shannon entropy of the output). */
export const entropy: Strategy = {
  needs: ["uncertainty"],
  training: withoutModule,
  select: ({ ids, uncertainty }, n, rng) => topScores(ids, uncertainty, n, rng),
}
