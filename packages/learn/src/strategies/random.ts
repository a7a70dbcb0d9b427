import { type Strategy, withoutModule } from "./strategy.ts"

/** Draws without replacement: the baseline that every other strategy has to beat. */
export const random: Strategy = {
  needs: [],
  training: withoutModule,
  select: ({ ids }, n, rng) => ({ ids: rng.shuffle(ids).slice(0, n), scores: null }),
}
