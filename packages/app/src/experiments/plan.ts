import type { RunConfig } from "@learnloss/contract"

/** How much a run will do. */
export interface RunPlan {
  /** Networks trained. */
  readonly trainings: number
  /** Labels each strategy has at its last training. */
  readonly labels: number
  /** Training steps of all strategies and trials together. */
  readonly steps: number
  /** Labels and steps of each cycle. */
  readonly cycles: readonly { readonly labels: number; readonly steps: number }[]
}

/** Counts what a run will do, without doing any of it. */
export function planRun({ budget, training, strategies, trials }: RunConfig): RunPlan {
  const cycles = Array.from({ length: budget.cycles }, (_, index) => {
    const labels = budget.initial + budget.perCycle * index
    return { labels, steps: training.steps ?? (training.epochs ?? 0) * Math.ceil(labels / training.batch) }
  })
  const repetitions = strategies.length * trials
  return {
    trainings: repetitions * budget.cycles,
    labels: cycles.at(-1)?.labels ?? 0,
    steps: repetitions * cycles.reduce((sum, cycle) => sum + cycle.steps, 0),
    cycles,
  }
}
