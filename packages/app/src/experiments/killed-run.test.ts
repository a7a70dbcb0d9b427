import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { recordsOf, writeFakeSettings } from "./fake-parts.test-suite.ts"

const script = fileURLToPath(new URL("killed-run.test-suite.ts", import.meta.url))

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "learnloss-killed-"))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function command(...args: string[]): ChildProcess {
  return spawn(process.execPath, ["--import", "tsx", "--conditions=source", script, ...args], { stdio: "pipe" })
}

interface Watched {
  readonly child: ChildProcess
  /** Resolves when the run has begun, after its settings were written and before its first step. */
  readonly begun: Promise<unknown>
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>
}

function watch(child: ChildProcess): Watched {
  let stderr = ""
  const begun = new Promise<void>((resolve) => {
    child.stderr?.on("data", (chunk) => {
      stderr += chunk
      if (stderr.includes("Folder: ")) resolve()
    })
  })
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, stderr }))
  return { child, begun: Promise.race([begun, ended]), ended }
}

describe("a run in a process of its own", () => {
  it.each([1, 2])("with %i jobs at once ends with the same records after SIGKILL, Ctrl-C and SIGTERM", async (jobs) => {
    const settings = writeFakeSettings(root)
    const [whole, folder] = [join(root, "whole"), join(root, "killed")]
    expect(await watch(command("run", settings, "--out", whole)).ended).toMatchObject({ code: 0 })

    let args = ["run", settings, "--out", folder, "--set", `engine.jobs=${jobs}`]
    for (const signal of ["SIGKILL", "SIGINT", "SIGKILL", "SIGTERM"] as const) {
      const { child, begun, ended } = watch(command(...args))
      await begun
      // Long enough for a cycle, too short for all.
      await new Promise((resolve) => setTimeout(resolve, 50))
      child.kill(signal)
      const { code, stderr } = await ended
      if (signal !== "SIGKILL") {
        expect(code).toBe(130)
        expect(stderr).toContain(`learnloss resume ${folder}`)
      }
      args = ["resume", folder]
    }
    expect(await watch(command("resume", folder)).ended).toMatchObject({ code: 0 })
    expect(recordsOf(folder)).toEqual(recordsOf(whole))
  })
})
