import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { requireDevice } from "@learnloss/engine"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { createFakeTrial, fakeParts, writeFakeSettings } from "../experiments/fake-parts.test-suite.ts"
import type { ExperimentParts } from "../experiments/parts.ts"
import { runFiles } from "../experiments/run-files.ts"
import { runMain } from "../run-main.test-suite.ts"

let root: string
let settings: string
let folder: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "learnloss-device-"))
  settings = writeFakeSettings(root)
  folder = join(root, "run")
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const command = (args: string[], replaced: Partial<ExperimentParts> = {}) =>
  runMain(args, { loadParts: async () => fakeParts(replaced) })

/** No platform has both. */
const missing = process.platform === "darwin" ? "dml" : "coreml"
const refusal = new RegExp(`expected a device that this machine has \\(cpu.*\\), got ${missing}: `)

describe("--device", () => {
  it("stands in the run's settings, and a resume on another one is refused", async () => {
    const { code } = await command(["run", settings, "--out", folder, "--device", "webgpu"])
    expect(code).toBe(0)
    expect(JSON.parse(readFileSync(join(folder, runFiles.config), "utf8")).engine.device).toBe("webgpu")
    expect((await command(["resume", folder, "--device", "webgpu"])).code).toBe(0)
    const refused = await command(["resume", folder, "--device", "cpu"])
    expect(refused.code).toBe(2)
    expect(refused.stderr).toMatch(/--device: expected webgpu, which the run was started on, got cpu/)
  })

  it("is refused where the machine lacks it, before anything is written", async () => {
    const run = await command(["run", settings, "--out", folder, "--device", missing], { requireDevice })
    expect([run.code, run.stdout, existsSync(folder)]).toEqual([2, "", false])
    expect(run.stderr).toMatch(refusal)

    const network = join(import.meta.dirname, "../../../../fixtures/imports/fit/training.onnx")
    const out = join(root, "trained.onnx")
    const fit = await command(
      `fit ${network} --data shapes:40,20 --steps 2 --out ${out} --device ${missing}`.split(" "),
    )
    expect([fit.code, existsSync(out), existsSync(`${out}.checkpoint`)]).toEqual([2, false, false])
    expect(fit.stderr).toMatch(refusal)
  })

  it("that nobody knows is refused with those that there are", async () => {
    const { code, stderr } = await command(["run", settings, "--device", "gpu"])
    expect(code).toBe(2)
    expect(stderr).toMatch(/cpu, webgpu, cuda, coreml, dml/)
  })

  it("tells once what it leaves to the processor", async () => {
    const runTrial = createFakeTrial()
    const nodes = [
      { name: "a", op: "Conv", isOnDevice: true },
      { name: "b", op: "OneHot", isOnDevice: false },
    ]
    const { stderr } = await command(["run", settings, "--out", folder, "--device", "webgpu"], {
      async runTrial(options) {
        const { strategy, trial, emit } = options
        emit({ strategy, trial, cycle: 1, type: "placed", placement: { device: "webgpu", nodes, copies: 2 } })
        await runTrial(options)
      },
    })
    expect(stderr.split("1 of 2 nodes run on the CPU, not on webgpu: OneHot (1)")).toHaveLength(2)
  })
})
