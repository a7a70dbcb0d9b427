import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, expect, it } from "vitest"
import { rankArguments, writeRankInput } from "../rank/rank-files.test-suite.ts"

const script = fileURLToPath(new URL("rank-process.test-suite.ts", import.meta.url))

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "learnloss-killed-rank-"))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function start(cache: string, out: string) {
  const args = ["--import", "tsx", "--conditions=source", script, ...rankArguments(root, 20), "--out", join(root, out)]
  const env = { ...process.env, LEARNLOSS_CACHE: join(root, cache) }
  const child = spawn(process.execPath, args, { stdio: "pipe", env })
  return { child, ended: once(child, "close").then(([code]) => code as number | null) }
}

function cachedBytes(cache: string): number {
  const folder = join(root, cache)
  if (!existsSync(folder)) return 0
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".rows"))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

it("a ranking that is killed again and again ends with the same files as one that is not", async () => {
  await writeRankInput(root, { labeled: 200, pool: 300 })
  expect(await start("whole", "whole").ended).toBe(0)
  for (let kills = 0, known = 0; kills < 2; kills++) {
    const { child, ended } = start("killed", "killed")
    let isOver = false
    void ended.then(() => {
      isOver = true
    })
    // Killed as soon as there is more in the cache than before.
    while (!isOver && cachedBytes("killed") <= known) await new Promise((resolve) => setTimeout(resolve, 2))
    child.kill("SIGKILL")
    await ended
    known = cachedBytes("killed")
  }
  expect(cachedBytes("killed")).toBeGreaterThan(0)
  expect(await start("killed", "killed").ended).toBe(0)
  for (const name of ["batch.csv", "ranking.csv", "batch-coco.json", "batch.png"])
    expect(readFileSync(join(root, "killed", name))).toEqual(readFileSync(join(root, "whole", name)))
}, 180_000)
