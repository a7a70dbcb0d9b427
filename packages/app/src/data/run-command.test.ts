import { describe, expect, it } from "vitest"
import { runCommand } from "./run-command.ts"

const signal = new AbortController().signal
const still = { measure: async () => 0, patienceMs: 300 }

describe("runCommand", () => {
  it("returns when the program has succeeded", async () => {
    await runCommand(process.execPath, ["-e", ""], { signal })
  })

  it("tells the last line of what a failing program complains", async () => {
    const script = "console.error('first'); console.error('E: no such package'); process.exit(3)"
    await expect(runCommand(process.execPath, ["-e", script], { signal })).rejects.toMatchObject({
      code: "SOURCE_FAILED",
      details: { got: "E: no such package" },
    })
  })

  it("says when a program is not installed", async () => {
    await expect(runCommand("learnloss-no-such-program", [], { signal })).rejects.toThrow(/no such command/)
  })

  it("ends a program that no longer gets on, but not one whose figure moves", async () => {
    const wait = ["-e", "setTimeout(() => {}, 60000)"]
    const start = performance.now()
    await expect(runCommand(process.execPath, wait, { signal, progress: still })).rejects.toThrow(/nothing for 0\.3 s/)
    expect(performance.now() - start).toBeLessThan(20_000)
    let figure = 0
    const moving = { measure: async () => figure++, patienceMs: 700 }
    await runCommand(process.execPath, ["-e", "setTimeout(() => {}, 1500)"], { signal, progress: moving })
  })

  it("ends the program at Ctrl-C, before it returns", async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 200)
    const wait = ["-e", "setTimeout(() => {}, 60000)"]
    await expect(runCommand(process.execPath, wait, { signal: controller.signal })).rejects.toMatchObject({
      name: "AbortError",
    })
  })
})
