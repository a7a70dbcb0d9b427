import cliProgress from "cli-progress"
import { jobsAtOnce } from "../experiments/run-jobs.ts"
import { formatCount, formatLoss } from "../report/format.ts"
import { int8Notes } from "../report/int8.ts"
import { barStyle } from "./bar-style.ts"
import { cycleRow, cycleRowHead } from "./cycle-rows.ts"
import { formatDuration } from "./duration.ts"
import type { CommandIo } from "./io.ts"
import type { Progress, ProgressEvent, ProgressOptions } from "./progress.ts"
import { createProgressMeter, jobKey } from "./progress-meter.ts"

/** Bars at the foot of the terminal, one for each cycle under way and one for the run, with the table of cycles above them. */
export function createProgressBars(
  io: CommandIo,
  { config, stepsBefore, now = () => performance.now() }: ProgressOptions,
): Progress {
  const meter = createProgressMeter(config, stepsBefore, now)
  const bars = new cliProgress.MultiBar({ ...barStyle(io), clearOnComplete: true })
  const atOnce = jobsAtOnce(config)
  const cycleBars: cliProgress.SingleBar[] = []
  /** Jobs under way, each at the place of its bar. */
  const jobs: (string | undefined)[] = new Array(atOnce).fill(undefined)
  let runBar: cliProgress.SingleBar | undefined
  let speed = ""
  let isHeadShown = false

  function say(text: string): void {
    // Bars that do not stand yet would be drawn over the text.
    if (runBar === undefined) io.stderr(`${text}\n`)
    else bars.log(`${text}\n`)
  }

  function barOf(event: ProgressEvent): cliProgress.SingleBar | undefined {
    const key = jobKey(event)
    const known = jobs.indexOf(key)
    const place = known < 0 ? jobs.indexOf(undefined) : known
    if (place < 0) return undefined
    const isDone = event.type === "cycle-finished" && event.cycle === config.budget.cycles
    jobs[place] = isDone ? undefined : key
    return cycleBars[place]
  }

  return {
    say,
    show(event) {
      const reading = meter.read(event)
      while (cycleBars.length < atOnce) cycleBars.push(bars.create(1, 0, { text: "" }))
      const cycleBar = barOf(event)
      runBar ??= bars.create(Math.max(1, reading.allSteps), reading.runSteps, { text: "" })
      if (event.type === "cycle-finished") {
        if (!isHeadShown) say(cycleRowHead(event.record))
        isHeadShown = true
        for (const line of [cycleRow(event.record), ...int8Notes(event.record)]) say(line)
      } else {
        const [done, total] = extent(event)
        const left = event.type === "step" ? `${formatDuration(reading.cycleSecondsLeft)} left` : activities[event.type]
        cycleBar?.setTotal(Math.max(1, total))
        cycleBar?.update(done, { text: `${left}, ${event.strategy} trial ${event.trial} cycle ${event.cycle}` })
      }
      // Of several at once it would jump from one to the other.
      if (event.type === "step" && atOnce === 1) speed = describeSpeed(event)
      runBar.update(reading.runSteps, { text: `${formatDuration(reading.runSecondsLeft)} in all${speed}` })
    },
    close() {
      // Stopping would swallow rows that wait for the next redraw.
      if (runBar !== undefined) bars.update()
      bars.stop()
    },
  }
}

type MovingEvent = Exclude<ProgressEvent, { type: "cycle-finished" }>

const activities = { "cycle-started": "starting", evaluating: "evaluating", scoring: "scoring" } as const

function extent(event: MovingEvent): [done: number, total: number] {
  if (event.type === "cycle-started") return [event.fromStep, event.steps]
  return event.type === "step" ? [event.step, event.steps] : [event.done, event.total]
}

function describeSpeed({ loss, lossPrediction, imagesPerSecond }: Extract<ProgressEvent, { type: "step" }>): string {
  const module = lossPrediction === null ? "" : `, module ${formatLoss(lossPrediction)}`
  return `, loss ${formatLoss(loss)}${module}, ${formatCount(imagesPerSecond)} images/s`
}
