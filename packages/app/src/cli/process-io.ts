import type { CommandIo } from "./io.ts"

/** The command's input and output in a real process; a reader that goes away (`| head`) is no error. */
export function processIo(signal: AbortSignal): CommandIo {
  return {
    stdout: writerOf(process.stdout),
    stderr: writerOf(process.stderr),
    isTerminal: process.stderr.isTTY === true,
    signal,
  }
}

function writerOf(stream: NodeJS.WriteStream): (text: string) => void {
  let isClosed = false
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error
    isClosed = true
  })
  return (text) => {
    if (!isClosed) stream.write(text)
  }
}
