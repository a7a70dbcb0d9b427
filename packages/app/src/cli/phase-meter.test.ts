import { describe, expect, it } from "vitest"
import type { CommandIo } from "./io.ts"
import { createPhaseMeter } from "./phase-meter.ts"

function capture(isTerminal: boolean): { readonly io: CommandIo; readonly text: () => string } {
  const parts: string[] = []
  const io = {
    stdout: () => {},
    stderr: (text: string) => void parts.push(text),
    isTerminal,
    signal: new AbortController().signal,
  }
  return { io, text: () => parts.join("") }
}

describe("the meter of a phase", () => {
  it("writes a line every few seconds and at the end, with the time left", () => {
    const { io, text } = capture(false)
    let time = 0
    const meter = createPhaseMeter(io, () => time)
    for (const done of [0, 100, 200, 300, 1000]) {
      meter.show("reading", done, 1000)
      time += 3000
    }
    meter.show("training", 0, 10)
    time += 6000
    meter.show("training", 5, 10)
    meter.close()
    expect(text().split("\n")).toEqual([
      "reading: 200 of 1,000, 24 s left",
      "reading: 1,000 of 1,000",
      "training: 5 of 10, 6 s left",
      "",
    ])
  })

  it("draws a bar on a terminal and leaves the terminal as it was", () => {
    const { io, text } = capture(true)
    const meter = createPhaseMeter(io)
    for (const phase of ["reading", "training"]) for (const done of [0, 50, 100]) meter.show(phase, done, 100)
    meter.close()
    expect(text()).toMatch(/reading: 0 of 100/)
    expect(text()).toMatch(/training: 0 of 100/)
    // The cursor, hidden while a bar is drawn, is there again.
    expect(text().lastIndexOf("\u001B[?25h")).toBeGreaterThan(text().lastIndexOf("\u001B[?25l"))
  })
})
