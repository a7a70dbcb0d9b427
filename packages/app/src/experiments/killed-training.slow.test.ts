import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createRng } from "@learnloss/engine"
import { expect, test } from "vitest"
import { recordsOf } from "./fake-parts.test-suite.ts"
import { runFiles } from "./run-files.ts"

const command = fileURLToPath(new URL("../../bin/learnloss.js", import.meta.url))

/** About twenty seconds of training on two cores, with everything that a resumed run must find again. */
const settings = `
name: killed
data: shapes
pool: { size: 1500, testSize: 300 }
model: { name: cnn4, width: 8 }
training:
  steps: 40
  batch: 32
  learningRate: 0.05
  schedule: { kind: step }
  startFrom: last-cycle
  checkpointSeconds: 0.1
budget: { initial: 100, perCycle: 50, cycles: 4, candidates: 500 }
strategies: [random, core-set, learning-loss, learning-loss-outputs]
trials: 2
engine: { lowerings: fixed, threads: 1 }
`

async function learnloss(args: readonly string[], killAfterMs?: number): Promise<number | null> {
  const child = spawn(process.execPath, [command, ...args], { stdio: "ignore" })
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfterMs)
  const [code] = await once(child, "close")
  clearTimeout(timer)
  return code
}

test.each([1, 2])(
  "a run of %i jobs at once that is killed at ten random moments ends with the records of one that never was",
  async (jobs) => {
    const root = mkdtempSync(join(tmpdir(), "learnloss-killed-training-"))
    const [file, whole, folder] = [join(root, "settings.yaml"), join(root, "whole"), join(root, "killed")]
    writeFileSync(file, settings)
    expect(await learnloss(["run", file, "--out", whole])).toBe(0)

    const rng = createRng("kill")
    let kills = 0
    while (kills < 10) {
      const args = existsSync(join(folder, runFiles.config))
        ? ["resume", folder]
        : ["run", file, "--out", folder, "--set", `engine.jobs=${jobs}`]
      const code = await learnloss(args, 1000 + 3000 * rng.float())
      if (code === null) {
        kills++
        continue
      }
      // Faster than ten kills: what came out must be right, and the rest of the kills come in another run.
      expect(recordsOf(folder)).toEqual(recordsOf(whole))
      rmSync(folder, { recursive: true })
    }
    expect(await learnloss(["resume", folder])).toBe(0)
    expect(recordsOf(folder)).toEqual(recordsOf(whole))
    rmSync(root, { recursive: true, force: true })
  },
)
