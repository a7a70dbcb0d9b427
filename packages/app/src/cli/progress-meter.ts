import type { RunConfig } from "@learnloss/contract"
import type { LoopEvent } from "@learnloss/learn"
import { planRun } from "../experiments/plan.ts"

/** Where a run stands, for a display. */
export interface Reading {
  /** Training steps of the whole run that are done. */
  readonly runSteps: number
  readonly allSteps: number
  /** Estimates; null until something was measured. */
  readonly cycleSecondsLeft: number | null
  readonly runSecondsLeft: number | null
}

/** Estimates from the events of a run how long it will take. */
export interface ProgressMeter {
  read(event: LoopEvent): Reading
}

/** Starts a meter; steps of earlier processes count as done but not as measured. */
export function createProgressMeter(config: RunConfig, stepsBefore: number, now: () => number): ProgressMeter {
  const allSteps = planRun(config).steps
  const runStart = now()
  let finishedSteps = stepsBefore
  let measuredSteps = 0
  let cycle = { start: runStart, fromStep: 0, step: 0, steps: 0 }

  return {
    read(event) {
      const time = now()
      if (event.type === "cycle-started") {
        // The steps of a shared cycle count for the strategy that trained it.
        const steps = event.sharedWith === undefined ? event.steps : 0
        cycle = { start: time, fromStep: Math.min(event.fromStep, steps), step: Math.min(event.fromStep, steps), steps }
      } else if (event.type === "step") {
        measuredSteps += event.step - cycle.step
        cycle.step = event.step
      } else if (event.type === "cycle-finished") {
        finishedSteps += cycle.steps
        cycle = { start: time, fromStep: 0, step: 0, steps: 0 }
      }
      const runSteps = finishedSteps + cycle.step
      return {
        runSteps,
        allSteps,
        cycleSecondsLeft: secondsLeft(time - cycle.start, cycle.step - cycle.fromStep, cycle.steps - cycle.step),
        // Scoring and evaluating are in the time of the steps done, so they are in the estimate too.
        runSecondsLeft: secondsLeft(time - runStart, measuredSteps, allSteps - runSteps),
      }
    },
  }
}

function secondsLeft(elapsedMs: number, stepsDone: number, stepsLeft: number): number | null {
  return stepsDone > 0 ? (elapsedMs / 1000 / stepsDone) * Math.max(0, stepsLeft) : null
}
