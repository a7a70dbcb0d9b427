import type { RunConfig } from "@learnloss/contract"
import type { LoopEvent } from "@learnloss/learn"
import type { CommandIo } from "./io.ts"
import { createProgressBars } from "./progress-bars.ts"
import { createProgressLines } from "./progress-lines.ts"

/** What moves a run on. */
export type ProgressEvent = Exclude<LoopEvent, { type: "placed" }>

/** Shows on stderr how far a run is. */
export interface Progress {
  /** Shows one line that stays. */
  say(line: string): void
  show(event: ProgressEvent): void
  /** Ends all that moves; nothing may be shown afterwards. */
  close(): void
}

/** What a progress display needs to know of the run. */
export interface ProgressOptions {
  readonly config: RunConfig
  /** Training steps of cycles that earlier processes finished. */
  readonly stepsBefore: number
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number
}

/** Bars on a terminal, lines elsewhere. */
export function createProgress(io: CommandIo, options: ProgressOptions): Progress {
  return io.isTerminal ? createProgressBars(io, options) : createProgressLines(io, options)
}
