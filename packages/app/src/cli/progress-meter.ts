import type { RunConfig } from "@learnloss/contract"
import type { LoopEvent, Place } from "@learnloss/learn"
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

/** A cycle that is being trained. */
interface Current {
  readonly start: number
  readonly fromStep: number
  readonly steps: number
  step: number
}

/** Starts a meter; steps of earlier processes count as done but not as measured. */
export function createProgressMeter(config: RunConfig, stepsBefore: number, now: () => number): ProgressMeter {
  const allSteps = planRun(config).steps
  const runStart = now()
  let finishedSteps = stepsBefore
  let measuredSteps = 0
  /** One for each job that is under way. */
  const cycles = new Map<string, Current>()

  return {
    read(event) {
      const time = now()
      const key = jobKey(event)
      const cycle = cycles.get(key) ?? { start: time, fromStep: 0, step: 0, steps: 0 }
      if (event.type === "cycle-started") {
        // The steps of a shared cycle count for the strategy that trained it.
        const steps = event.sharedWith === undefined ? event.steps : 0
        const fromStep = Math.min(event.fromStep, steps)
        cycles.set(key, { start: time, fromStep, step: fromStep, steps })
      } else if (event.type === "step") {
        measuredSteps += event.step - cycle.step
        cycle.step = event.step
      } else if (event.type === "cycle-finished") {
        finishedSteps += cycle.steps
        cycles.delete(key)
      }
      const current = cycles.get(key) ?? { start: time, fromStep: 0, step: 0, steps: 0 }
      const runSteps = [...cycles.values()].reduce((sum, { step }) => sum + step, finishedSteps)
      return {
        runSteps,
        allSteps,
        cycleSecondsLeft: secondsLeft(
          time - current.start,
          current.step - current.fromStep,
          current.steps - current.step,
        ),
        // Scoring and evaluating are in the time of the steps done, and so is what runs at once.
        runSecondsLeft: secondsLeft(time - runStart, measuredSteps, allSteps - runSteps),
      }
    },
  }
}

/** Names the job that an event belongs to. */
export function jobKey({ strategy, trial }: Pick<Place, "strategy" | "trial">): string {
  return `${strategy}, trial ${trial}`
}

function secondsLeft(elapsedMs: number, stepsDone: number, stepsLeft: number): number | null {
  return stepsDone > 0 ? (elapsedMs / 1000 / stepsDone) * Math.max(0, stepsLeft) : null
}
