import cliProgress from "cli-progress"
import { formatCount } from "../report/format.ts"
import { barStyle } from "./bar-style.ts"
import { formatDuration } from "./duration.ts"
import type { CommandIo } from "./io.ts"

/** Shows how far one phase of a command is, with the time left. */
export interface PhaseMeter {
  /** @param detail what else there is to say of it just now */
  show(phase: string, done: number, total: number, detail?: string): void
  /** Takes the bar away, so that a line can be written. */
  close(): void
}

const leastMsBetweenLines = 5000

/** A bar for each phase on a terminal, a line every few seconds elsewhere. */
export function createPhaseMeter(io: CommandIo, now: () => number = () => performance.now()): PhaseMeter {
  const display = io.isTerminal ? showBar(io) : showLines(io, now)
  let started = { phase: "", at: 0, done: 0 }
  return {
    show(phase, done, total, detail) {
      if (phase !== started.phase) {
        display.close()
        started = { phase, at: now(), done }
      }
      const measured = done - started.done
      const left = measured > 0 ? ((now() - started.at) / 1000 / measured) * (total - done) : null
      const time = left === null || done === total ? "" : `, ${formatDuration(left)} left`
      display.show(
        done,
        total,
        `${phase}: ${formatCount(done)} of ${formatCount(total)}${detail === undefined ? "" : `, ${detail}`}${time}`,
      )
    },
    close: display.close,
  }
}

interface Display {
  show(done: number, total: number, text: string): void
  close(): void
}

function showBar(io: CommandIo): Display {
  let bar: cliProgress.SingleBar | undefined
  return {
    show(done, total, text) {
      if (bar === undefined) {
        bar = new cliProgress.SingleBar({ ...barStyle(io), clearOnComplete: true })
        bar.start(total, done, { text })
      }
      bar.update(done, { text })
    },
    close() {
      bar?.stop()
      bar = undefined
    },
  }
}

function showLines(io: CommandIo, now: () => number): Display {
  let lastAt = now()
  return {
    show(done, total, text) {
      const isEnd = done === total && total > 0
      if (!isEnd && now() - lastAt < leastMsBetweenLines) return
      lastAt = now()
      io.stderr(`${text}\n`)
    },
    close() {},
  }
}
