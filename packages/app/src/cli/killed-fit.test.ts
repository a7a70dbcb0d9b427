import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, expect, it } from "vitest"

const script = fileURLToPath(new URL("rank-process.test-suite.ts", import.meta.url))
const images = fileURLToPath(new URL("../../../../fixtures/imports/fit", import.meta.url))
const steps = 150

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "learnloss-killed-fit-"))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function start(name: string) {
  const settings = `--data cifar10:${images} --steps ${steps} --batch 32 --lr 0.01 --schedule cosine --threads 1`
  const files = ["--out", join(root, name, "trained.onnx"), "--log", join(root, name, "steps.jsonl")]
  const command = ["fit", join(images, "training.onnx"), ...settings.split(" "), "--fixed-lowerings", ...files]
  const child = spawn(process.execPath, ["--import", "tsx", "--conditions=source", script, ...command], {
    stdio: ["ignore", "ignore", "pipe"],
  })
  let stderr = ""
  child.stderr.on("data", (text) => {
    stderr += text
  })
  return { child, ended: once(child, "close").then(([code]) => ({ code: code as number | null, stderr })) }
}

function loggedSteps(name: string): number {
  const path = join(root, name, "steps.jsonl")
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").length - 1 : 0
}

/** Ends a fit once its log is a few steps longer than what the one before left there. */
async function stopLater(signal: "SIGINT" | "SIGKILL"): Promise<void> {
  const wanted = loggedSteps("killed") + 4
  const { child, ended } = start("killed")
  while (child.exitCode === null && loggedSteps("killed") < wanted)
    await new Promise((resolve) => setTimeout(resolve, 2))
  child.kill(signal)
  const { code, stderr } = await ended
  expect(code, stderr).toBe(signal === "SIGKILL" ? null : 130)
}

it("a fit that is killed again and again ends with the same bytes as one that is not", async () => {
  expect((await start("whole").ended).code).toBe(0)
  // Killed before there is a checkpoint, stopped with one, and killed again behind it.
  await stopLater("SIGKILL")
  await stopLater("SIGINT")
  const saved = loggedSteps("killed")
  await stopLater("SIGKILL")
  expect(loggedSteps("killed")).toBeGreaterThan(saved)
  expect(existsSync(join(root, "killed", "trained.onnx"))).toBe(false)

  const { code, stderr } = await start("killed").ended
  expect(code, stderr).toBe(0)
  expect(stderr).toContain(`Going on after step ${saved} of ${steps}`)
  expect(loggedSteps("killed")).toBe(steps)
  for (const file of ["trained.onnx", "steps.jsonl"])
    expect(readFileSync(join(root, "killed", file)).equals(readFileSync(join(root, "whole", file))), file).toBe(true)
  expect(existsSync(join(root, "killed", "trained.onnx.checkpoint"))).toBe(false)
}, 180_000)
