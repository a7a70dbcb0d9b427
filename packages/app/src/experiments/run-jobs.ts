import type { RunConfig } from "@learnloss/contract"
import { onComputeThread } from "@learnloss/engine"
import { computeThreadOf, type Job, jobsOf, type LoopEvent, nextJob } from "@learnloss/learn"
import { throwIfInterrupted } from "./interruption.ts"
import type { ExperimentParts } from "./parts.ts"
import type { RunData } from "./run-data.ts"
import type { RunJournal } from "./run-journal.ts"

export interface RunJobsOptions extends RunData {
  /** Names the run in messages. */
  readonly folder: string
  readonly journal: RunJournal
  readonly runTrial: ExperimentParts["runTrial"]
  readonly show: (event: LoopEvent) => void
  readonly signal: AbortSignal
}

/** How many jobs a run trains at once; settings from before there was a choice mean one. */
export function jobsAtOnce({ engine }: Pick<RunConfig, "engine">): number {
  return engine.jobs === "measured" ? 1 : engine.jobs
}

/**
 * Trains all that is left of a run: one job after the other in the order of the settings, or as many at once as they say,
 * each on a compute thread of its own. All work in this process, so records have one writer.
 *
 * When a job fails the others stop as if they were interrupted: what they did is kept, and a resume goes on with it.
 *
 * @throws what the first failed job threw; LearnlossError `INTERRUPTED` when the signal was given
 */
export async function runJobs(options: RunJobsOptions): Promise<void> {
  const { config, pools, journal, runTrial, show, folder } = options
  const atOnce = jobsAtOnce(config)
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const errors: unknown[] = []
  const free = Array.from({ length: atOnce }, (_, index) => index)
  let waiting: readonly Job[] = jobsOf(config, journal.cycles)
  let running = 0

  const isFirstCycleDone = (strategy: Job["strategy"], trial: number) =>
    journal.cycles.some((record) => record.strategy === strategy && record.trial === trial)

  const run = async ({ strategy, trial }: Job, place: number, onChange: () => void): Promise<void> => {
    const dataset = pools[trial - 1] as (typeof pools)[number]
    const emit = (event: LoopEvent): void => {
      show(event)
      // Jobs that share this cycle can start now.
      if (event.type === "cycle-finished" && event.cycle === 1) onChange()
    }
    const recorder = journal.recorderFor(strategy, trial)
    await onComputeThread(computeThreadOf(place, atOnce), () =>
      runTrial({ config, dataset, strategy, trial, recorder, emit, signal }),
    )
  }

  await new Promise<void>((resolve) => {
    const startNext = (): void => {
      while (free.length > 0 && !signal.aborted) {
        // One after the other, leaders stand before those that wait for them.
        const job = atOnce === 1 ? waiting[0] : nextJob(waiting, isFirstCycleDone)
        if (job === undefined) break
        const place = free.shift() as number
        waiting = waiting.filter((other) => other !== job)
        running++
        run(job, place, startNext)
          .catch((error: unknown) => {
            errors.push(error)
            stop.abort()
          })
          .finally(() => {
            free.push(place)
            running--
            startNext()
          })
      }
      if (running === 0) resolve()
    }
    startNext()
  })
  if (errors.length > 0) throw errors[0]
  if (waiting.length > 0) throwIfInterrupted(options.signal, folder)
}
