import cliProgress from "cli-progress"
import type { FetchEvent } from "../data/source.ts"
import { barStyle } from "./bar-style.ts"
import type { CommandIo } from "./io.ts"

/** Shows how fetching gets on. */
export interface FetchProgress {
  show(event: FetchEvent): void
  /** Leaves the terminal as it was; must be called at the end. */
  close(): void
}

const leastMsBetweenLines = 5000

/** A bar a file on a terminal, plain lines elsewhere. */
export function createFetchProgress(io: CommandIo, now: () => number = () => performance.now()): FetchProgress {
  const bytes = io.isTerminal ? showBar(io) : showLines(io, now)
  return {
    show(event) {
      if (event.type === "bytes") {
        bytes.show(event)
        return
      }
      bytes.close()
      io.stderr(`${describe(event)}\n`)
    },
    close: bytes.close,
  }
}

type BytesEvent = Extract<FetchEvent, { type: "bytes" }>

interface BytesDisplay {
  show(event: BytesEvent): void
  close(): void
}

function showBar(io: CommandIo): BytesDisplay {
  let bar: cliProgress.SingleBar | undefined
  let file = ""
  const close = (): void => {
    bar?.stop()
    bar = undefined
  }
  return {
    show(event) {
      if (bar !== undefined && event.file !== file) close()
      file = event.file
      const total = event.total ?? Math.max(1, event.done)
      if (bar === undefined) {
        bar = createBar(io)
        bar.start(total, event.done, { text: "" })
      }
      bar.setTotal(total)
      bar.update(event.done, { text: `${describeBytes(event)}  ${event.file}` })
    },
    close,
  }
}

function createBar(io: CommandIo): cliProgress.SingleBar {
  return new cliProgress.SingleBar(barStyle(io))
}

function showLines(io: CommandIo, now: () => number): BytesDisplay {
  let file = ""
  let lastLineAt = 0
  return {
    show(event) {
      const isNew = event.file !== file
      const isEnd = event.total !== undefined && event.done === event.total
      if (!isNew && !isEnd && now() - lastLineAt < leastMsBetweenLines) return
      file = event.file
      lastLineAt = now()
      io.stderr(`${event.file}: ${describeBytes(event)}\n`)
    },
    close() {},
  }
}

function describe(event: Exclude<FetchEvent, BytesEvent>): string {
  if (event.type === "trying") return `from ${event.source}`
  if (event.type === "failed") return `${event.source} failed: ${event.reason}`
  return event.text
}

function describeBytes({ done, total }: BytesEvent): string {
  return total === undefined ? megabytes(done) : `${megabytes(done)} of ${megabytes(total)}`
}

function megabytes(bytes: number): string {
  return bytes < 1e5 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}
