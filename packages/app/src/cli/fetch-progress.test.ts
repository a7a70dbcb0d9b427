import { describe, expect, it } from "vitest"
import { createFetchProgress } from "./fetch-progress.ts"
import type { CommandIo } from "./io.ts"

function capture(isTerminal: boolean): { readonly io: CommandIo; readonly text: () => string } {
  const parts: string[] = []
  const signal = new AbortController().signal
  const io = { stdout: () => {}, stderr: (text: string) => void parts.push(text), isTerminal, signal }
  return { io, text: () => parts.join("") }
}

describe("createFetchProgress", () => {
  it("writes plain lines when stderr is no terminal: the start, the end and one every few seconds", () => {
    const { io, text } = capture(false)
    let time = 0
    const progress = createFetchProgress(io, () => time)
    progress.show({ type: "trying", source: "the official address" })
    for (const done of [0, 1e6, 2e6, 3e6, 4e6]) {
      progress.show({ type: "bytes", file: "a.gz", done, total: 4e6 })
      time += 3000
    }
    progress.show({ type: "failed", source: "the official address", reason: "no answer" })
    progress.show({ type: "step", text: "unpacking" })
    progress.close()
    expect(text().split("\n")).toEqual([
      "from the official address",
      "a.gz: 0 kB of 4.0 MB",
      "a.gz: 2.0 MB of 4.0 MB",
      "a.gz: 4.0 MB of 4.0 MB",
      "the official address failed: no answer",
      "unpacking",
      "",
    ])
  })

  it("draws a bar for each file on a terminal", () => {
    const { io, text } = capture(true)
    const progress = createFetchProgress(io)
    for (const file of ["a.gz", "b.gz"]) {
      for (const done of [0, 2e6]) progress.show({ type: "bytes", file, done, total: 2e6 })
    }
    progress.show({ type: "bytes", file: "c.gz", done: 5e5, total: undefined })
    progress.close()
    expect(text()).toMatch(/100%\s+2\.0 MB of 2\.0 MB {2}a\.gz/)
    expect(text()).toMatch(/100%\s+2\.0 MB of 2\.0 MB {2}b\.gz/)
    expect(text()).toMatch(/0\.5 MB {2}c\.gz/)
  })
})
