import { formatCount, formatLoss } from "../report/format.ts"
import { int8Notes } from "../report/int8.ts"
import { cycleRow, cycleRowHead } from "./cycle-rows.ts"
import { formatDuration } from "./duration.ts"
import type { CommandIo } from "./io.ts"
import type { Progress, ProgressEvent, ProgressOptions } from "./progress.ts"
import { createProgressMeter, jobKey, type Reading } from "./progress-meter.ts"

const leastMsBetweenLines = 5000

/** Plain lines: one every few seconds for what is training, and one a cycle. */
export function createProgressLines(
  io: CommandIo,
  { config, stepsBefore, now = () => performance.now() }: ProgressOptions,
): Progress {
  const meter = createProgressMeter(config, stepsBefore, now)
  const start = now()
  /** When each job said something last: what runs at once takes turns. */
  const lastLineAt = new Map<string, number>()
  let isHeadShown = false

  return {
    say: (line) => io.stderr(`${line}\n`),
    show(event) {
      const reading = meter.read(event)
      if (event.type === "cycle-finished") {
        if (!isHeadShown) io.stderr(`${cycleRowHead(event.record)}\n`)
        isHeadShown = true
        for (const line of [cycleRow(event.record), ...int8Notes(event.record)]) io.stderr(`${line}\n`)
        lastLineAt.set(jobKey(event), now())
        return
      }
      const line = describe(event, reading, config.budget.cycles)
      if (line === undefined || now() - (lastLineAt.get(jobKey(event)) ?? start) < leastMsBetweenLines) return
      lastLineAt.set(jobKey(event), now())
      io.stderr(`${line}\n`)
    },
    close() {},
  }
}

function describe(event: ProgressEvent, reading: Reading, cycles: number): string | undefined {
  const place = `${event.strategy}, trial ${event.trial}, cycle ${event.cycle} of ${cycles}`
  if (event.type === "step") {
    const parts = [
      `step ${event.step} of ${event.steps}`,
      `loss ${formatLoss(event.loss)}`,
      ...(event.lossPrediction === null ? [] : [`module ${formatLoss(event.lossPrediction)}`]),
      `${formatCount(event.imagesPerSecond)} images/s`,
      `${formatDuration(reading.cycleSecondsLeft)} left in this cycle`,
      `${formatDuration(reading.runSecondsLeft)} in all`,
    ]
    return `${place}: ${parts.join(", ")}`
  }
  if (event.type === "evaluating" || event.type === "scoring") {
    return `${place}: ${event.type} ${formatCount(event.done)} of ${formatCount(event.total)} images`
  }
  return undefined
}
