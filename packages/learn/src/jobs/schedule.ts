import type { CycleRecord, RunConfig, StrategyName } from "@learnloss/contract"
import { stepsOfCycle } from "../training/moments.ts"
import { leaderOf } from "../training/strategy-training.ts"

/** One strategy in one trial, from the cycle where it stands to its last. */
export interface Job {
  readonly strategy: StrategyName
  readonly trial: number
  /** The strategy whose first cycle has to be on record before this job can start; null where none has. */
  readonly waitsFor: StrategyName | null
  /** Training steps of the first cycle, and of all cycles, that are left. */
  readonly firstSteps: number
  readonly steps: number
}

/** The settings that say what there is to do. */
export type JobSettings = Pick<RunConfig, "strategies" | "trials" | "budget" | "training" | "lossModule">

/** What is left of a run: trial after trial, strategies in their order. */
export function jobsOf(config: JobSettings, finished: readonly CycleRecord[]): Job[] {
  const { budget, training, strategies, trials } = config
  const steps = Array.from({ length: budget.cycles }, (_, index) =>
    stepsOfCycle(training, budget.initial + budget.perCycle * index),
  )
  const sum = (cycles: readonly number[]) => cycles.reduce((total, each) => total + each, 0)
  const places = Array.from({ length: trials }, (_, index) =>
    strategies.map((strategy) => ({ strategy, trial: index + 1 })),
  )
  return places.flat().flatMap(({ strategy, trial }): Job[] => {
    const done = finished.filter((record) => record.strategy === strategy && record.trial === trial).length
    if (done >= budget.cycles) return []
    const leader = leaderOf(strategy, config)
    const isFollower = leader !== strategy && done === 0
    const isLeaderDone = finished.some((record) => record.strategy === leader && record.trial === trial)
    return [
      {
        strategy,
        trial,
        waitsFor: isFollower && !isLeaderDone ? leader : null,
        firstSteps: isFollower || done > 0 ? 0 : (steps[0] ?? 0),
        steps: sum(steps.slice(isFollower ? 1 : done)),
      },
    ]
  })
}

/**
 * The job to start next, where another may be running: of the earliest trial that has one ready the longest, since a short
 * one at the end leaves a core idle for less time. Undefined while all that are left wait for a first cycle.
 *
 * @param isFirstCycleDone whether the first cycle of a strategy in a trial is on record
 */
export function nextJob(
  waiting: readonly Job[],
  isFirstCycleDone: (strategy: StrategyName, trial: number) => boolean,
): Job | undefined {
  const ready = waiting.filter(({ waitsFor, trial }) => waitsFor === null || isFirstCycleDone(waitsFor, trial))
  // Sorting keeps the order of equals, so strategies of one length start in the order in which they were named.
  return ready.toSorted((a, b) => a.trial - b.trial || b.steps - a.steps)[0]
}

/** Steps of the clock that jobs take when so many run at once, each doing one training step a step of the clock. */
export function stepsAtOnce(jobs: readonly Job[], atOnce: number): number {
  let waiting = jobs
  let running: { job: Job; firstEnd: number; end: number }[] = []
  const firstDone = new Set<string>()
  let now = 0
  while (waiting.length > 0 || running.length > 0) {
    for (const { job, firstEnd } of running) if (firstEnd <= now) firstDone.add(`${job.strategy}/${job.trial}`)
    running = running.filter(({ end }) => end > now)
    while (running.length < atOnce) {
      const job = nextJob(waiting, (strategy, trial) => firstDone.has(`${strategy}/${trial}`))
      if (job === undefined) break
      waiting = waiting.filter((other) => other !== job)
      running.push({ job, firstEnd: now + job.firstSteps, end: now + job.steps })
    }
    const times = running.flatMap(({ firstEnd, end }) => (firstEnd > now ? [firstEnd, end] : [end]))
    if (times.length === 0) break
    now = Math.min(...times)
  }
  return now
}
