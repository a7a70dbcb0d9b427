import type { Options } from "cli-progress"
import type { CommandIo } from "./io.ts"
import { terminalStream } from "./terminal-stream.ts"

/** How all progress bars look. */
export function barStyle(io: CommandIo): Options {
  return {
    stream: terminalStream(io),
    format: "{bar} {percentage}%  {text}",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    // Leaves room for the text within 80 columns; longer lines are cut off.
    barsize: 12,
    fps: 5,
    hideCursor: true,
    // The command itself decides what Ctrl-C does.
    gracefulExit: false,
  }
}
