import {
  compileTrainStep,
  createRng,
  type Device,
  initializeParameters,
  type LoweringPlan,
  onComputeThread,
  type TrainStep,
} from "@learnloss/engine"
import type { Feeds } from "../training/batches.ts"
import { buildTraining, type Learner } from "../training/learner.ts"

/** How training shares the machine: so many jobs at once, each with so many threads. */
export interface JobLayout {
  readonly jobs: number
  readonly threads: number
}

export interface TimeStepsOptions {
  readonly learner: Learner
  /** A batch to train on. */
  readonly feeds: Feeds
  readonly plan: LoweringPlan
  readonly device: Device
  /** Steps of one job that may be spent. */
  readonly mostSteps: number
}

/** The compute thread of the nth job (from 0) of those that run at once; a job alone uses the one of the process. */
export function computeThreadOf(job: number, jobs: number): number {
  return jobs === 1 ? 0 : job + 1
}

const rounds = 3
/** Of one round: enough to outlast noise, too little to be missed. */
const roundMs = 150

/** Milliseconds of the clock for each training step when so many jobs train at once, and what they took of the memory. */
export async function timeSteps({ jobs, threads }: JobLayout, options: TimeStepsOptions) {
  const { learner, feeds, plan, device, mostSteps } = options
  const before = process.memoryUsage().rss
  const opened: TrainStep[] = []
  const open = async (): Promise<TrainStep> => {
    const spec = buildTraining(learner, learner.config.training.batch)
    const step = await compileTrainStep(spec, plan, { threads, device })
    const parameters = initializeParameters(spec.network.specs, createRng("timed steps"))
    await step.load({ parameters, optimizer: new Map() })
    return step
  }
  const run = async (steps: number): Promise<number> => {
    const start = performance.now()
    await Promise.all(
      opened.map(async (step) => {
        for (let count = 0; count < steps; count++) await step.run(feeds, 0)
      }),
    )
    return (performance.now() - start) / steps / jobs
  }
  try {
    for (let job = 0; job < jobs; job++) opened.push(await onComputeThread(computeThreadOf(job, jobs), open))
    const first = await run(1)
    const affordable = Math.floor((mostSteps - 1) / rounds)
    const steps = Math.max(1, Math.min(affordable, Math.round(roundMs / (first * jobs))))
    let milliseconds = Number.POSITIVE_INFINITY
    for (let round = 0; round < rounds; round++) milliseconds = Math.min(milliseconds, await run(steps))
    return { milliseconds, bytes: process.memoryUsage().rss - before }
  } finally {
    for (const step of opened) await step.release()
  }
}

/** Fewest steps of one job that `timeSteps` needs. */
export const fewestTimedSteps = 1 + rounds
