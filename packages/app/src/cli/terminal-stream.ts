import { Writable } from "node:stream"
import type { CommandIo } from "./io.ts"

/** The command's stderr as the stream that progress bars write to and ask for its width. */
export function terminalStream(io: CommandIo): NodeJS.WritableStream {
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      io.stderr(chunk)
      done()
    },
  })
  return Object.defineProperties(stream, {
    isTTY: { value: true },
    columns: { get: () => process.stderr.columns ?? 80 },
    rows: { get: () => process.stderr.rows ?? 24 },
  })
}
