import cliProgress from "cli-progress"
import type { RunFitOptions } from "../fit/run-fit.ts"
import { formatCount } from "../report/format.ts"
import { formatDuration } from "./duration.ts"
import type { CommandIo } from "./io.ts"
import { terminalStream } from "./terminal-stream.ts"

type Listeners = Pick<RunFitOptions, "onRead" | "onDefect" | "onStart" | "onStep" | "onEvaluate">

/** Shows on stderr how far a fit is: a bar on a terminal, a line every few seconds elsewhere. */
export interface FitProgress {
  readonly listeners: Listeners
  close(): void
}

const leastMsBetweenLines = 5000

export function createFitProgress(io: CommandIo, now: () => number = () => performance.now()): FitProgress {
  const meter = io.isTerminal ? showBar(io) : showLines(io, now)
  let started = { at: now(), step: 0 }
  return {
    listeners: {
      onRead: (done, total) => meter.show(done, total, "reading images"),
      onDefect({ file, reason }) {
        meter.close()
        io.stderr(`${file}: ${reason}\n`)
      },
      onStart({ network, fromStep }, steps) {
        meter.close()
        for (const note of network.notes) io.stderr(`${note}\n`)
        io.stderr(`The loss module reads ${network.taps.join(", ")}.\n`)
        if (fromStep > 0) io.stderr(`Going on after step ${formatCount(fromStep)} of ${formatCount(steps)}.\n`)
        started = { at: now(), step: fromStep }
      },
      onStep({ step, loss, lossPrediction, imagesPerSecond }, steps) {
        const left = ((now() - started.at) / 1000 / (step - started.step)) * (steps - step)
        const module = lossPrediction === null ? "" : `, module ${lossPrediction.toFixed(3)}`
        meter.show(
          step,
          steps,
          `loss ${loss.toFixed(3)}${module}, ${formatCount(imagesPerSecond)} images/s, ${formatDuration(left)} left`,
        )
      },
      onEvaluate: (done, total) => meter.show(done, total, "evaluating"),
    },
    close: meter.close,
  }
}

interface Meter {
  show(done: number, total: number, text: string): void
  close(): void
}

function showBar(io: CommandIo): Meter {
  let bar: cliProgress.SingleBar | undefined
  const close = (): void => {
    bar?.stop()
    bar = undefined
  }
  return {
    show(done, total, text) {
      if (bar === undefined) {
        bar = new cliProgress.SingleBar({
          stream: terminalStream(io),
          format: "{bar} {percentage}%  {text}",
          barCompleteChar: "█",
          barIncompleteChar: "░",
          barsize: 12,
          fps: 5,
          hideCursor: true,
          clearOnComplete: true,
          gracefulExit: false,
        })
        bar.start(total, done, { text })
      }
      bar.setTotal(total)
      bar.update(done, { text })
    },
    close,
  }
}

function showLines(io: CommandIo, now: () => number): Meter {
  let lastAt = now()
  return {
    show(done, total, text) {
      if (now() - lastAt < leastMsBetweenLines) return
      lastAt = now()
      io.stderr(`${formatCount(done)} of ${formatCount(total)}: ${text}\n`)
    },
    close() {},
  }
}
