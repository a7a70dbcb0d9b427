import type { RunConfig } from "@learnloss/contract"
import { leaderOf } from "@learnloss/learn"

/** How much a run will do. */
export interface RunPlan {
  /** Cycles of all strategies and trials together, each with its record. */
  readonly trainings: number
  /** How many of them share their training with another strategy. */
  readonly shared: number
  /** Labels each strategy has at its last training. */
  readonly labels: number
  /** Training steps of all strategies and trials together, shared ones once. */
  readonly steps: number
  /** Labels and steps of each cycle. */
  readonly cycles: readonly { readonly labels: number; readonly steps: number }[]
}

/** Counts what a run will do, without doing any of it. */
export function planRun(config: RunConfig): RunPlan {
  const { budget, training, strategies, trials } = config
  const cycles = Array.from({ length: budget.cycles }, (_, index) => {
    const labels = budget.initial + budget.perCycle * index
    return { labels, steps: training.steps ?? (training.epochs ?? 0) * Math.ceil(labels / training.batch) }
  })
  const repetitions = strategies.length * trials
  const shared = trials * strategies.filter((strategy) => leaderOf(strategy, config) !== strategy).length
  return {
    trainings: repetitions * budget.cycles,
    shared,
    labels: cycles.at(-1)?.labels ?? 0,
    steps: repetitions * cycles.reduce((sum, cycle) => sum + cycle.steps, 0) - shared * (cycles[0]?.steps ?? 0),
    cycles,
  }
}
