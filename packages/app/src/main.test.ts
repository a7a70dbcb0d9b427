import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runConfigSchema } from "@learnloss/contract"
import { LearnlossError } from "@learnloss/engine"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { parse } from "yaml"
import { createFakeTrial, fakeDataset, fakeParts, writeFakeSettings } from "./experiments/fake-parts.test-suite.ts"
import type { ExperimentParts } from "./experiments/parts.ts"
import { runMain } from "./run-main.test-suite.ts"

let root: string
let settings: string
let folder: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "learnloss-main-"))
  settings = writeFakeSettings(root)
  folder = join(root, "run")
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** Runs the command with captured output and parts that train nothing. */
const command = (args: string[], replaced: Partial<ExperimentParts> = {}, signal?: AbortSignal) =>
  runMain(args, { loadParts: async () => fakeParts(replaced), ...(signal && { signal }) })

const fail = (error: unknown) => async () => {
  throw error
}
const badData = new LearnlossError("BAD_MAGIC", { where: "a.bin", expected: "this", got: "that", fix: "Do so." })

describe("learnloss", () => {
  it.each([["--help"], ["run", "--help"], ["resume", "--help"], ["report", "--help"], ["--version"]])(
    "prints %s %s to stdout and exits with 0",
    async (...args) => {
      const { code, stdout, stderr } = await command(args)
      expect([code, stderr]).toEqual([0, ""])
      expect(stdout).not.toBe("")
    },
  )

  it("lists the presets in the help of run", async () => {
    expect((await command(["run", "--help"])).stdout).toMatch(/demo +Four strategies/)
  })

  it("lists the presets of each task together", async () => {
    const { stdout } = await command(["run", "--help"])
    const places = [
      "\n  classification\n",
      " demo ",
      "\n  detection\n",
      " bccd-cpu ",
      "\n  pose\n",
      " figures-cpu ",
    ].map((text) => stdout.indexOf(text, stdout.indexOf("Presets:")))
    expect(places).not.toContain(-1)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
  })

  it.each([
    ["no command", []],
    ["an unknown command", ["rnu"]],
    ["an unknown option", ["run", "demo", "--sed", "3"]],
    ["a missing argument", ["run"]],
    ["one argument too many", ["resume", "a", "b"]],
    ["an unknown preset", ["run", "dmo"]],
    ["a folder without a run", ["resume", "/nowhere"]],
  ])("exits with 2 for %s, with the reason on stderr", async (_, args) => {
    const { code, stdout, stderr } = await command(args)
    expect([code, stdout]).toEqual([2, ""])
    expect(stderr).not.toBe("")
  })
})

describe("learnloss run", () => {
  it("prints the table, the verdict and the report's path to stdout, the rest to stderr", async () => {
    const { code, stdout, stderr } = await command(["run", settings, "--out", folder])
    expect(code).toBe(0)
    expect(stdout).toMatch(/random.*entropy/)
    expect(stdout).toContain(`Report: ${join(folder, "report.html")}`)
    expect(stderr).toContain(
      "2 strategies x 2 trials x 3 cycles = 12 trainings (2 of them shared) with up to 20 labels, 30 steps in all",
    )
    expect(stderr.match(/^(random|entropy) .*%/gm)).toHaveLength(12)
  })

  it("prints one JSON object with --json", async () => {
    const result = JSON.parse((await command(["run", settings, "--out", folder, "--json"])).stdout)
    expect(result).toMatchObject({ folder, data: "shapes", notice: null, table: { labels: [10, 15, 20] } })
    expect(result.report).toBe(join(folder, "report.html"))
  })

  it("takes strategies, trials, seed and any key from the command line", async () => {
    const changes = [
      "--strategies",
      "core-set",
      "--trials",
      "1",
      "--seed",
      "9",
      "--set",
      "training.steps=2",
      "--set",
      "name=x",
    ]
    await command(["run", settings, "--out", folder, ...changes])
    const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"))
    expect(config).toMatchObject({ strategies: ["core-set"], trials: 1, seed: 9, training: { steps: 2 }, name: "x" })
  })

  it("prints settings and plan with --dry-run and does nothing", async () => {
    const { code, stdout } = await command(["run", "cifar10-paper", "--dry-run", "--out", folder], {
      openDataset: fail(badData),
    })
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /5 strategies x 5 trials x 10 cycles = 250 trainings \(10 of them shared\) with up to 10,000 labels/,
    )
    const { plan } = JSON.parse((await command(["run", "cifar10-paper", "--dry-run", "--json"])).stdout)
    expect(plan.cycles[0]).toEqual({ labels: 1000, steps: 200 * 8 })
    expect(existsSync(folder)).toBe(false)
  })

  it("prints with --dry-run only the settings that the task heeds, and all of them with --json", async () => {
    const changes = {
      "cifar10-cpu": ["crop", "flip"],
      "voc-ssd300-paper": ["flip", "photometric", "expand", "iouCrop"],
      "figures-cpu": ["flip", "scale", "rotation", "rotationShare", "colour"],
    }
    for (const [preset, heeded] of Object.entries(changes)) {
      const printed = parse((await command(["run", preset, "--dry-run"])).stdout)
      expect(Object.keys(printed.augment)).toEqual(heeded)
      expect(["detection", "pose"].filter((name) => name in printed)).toEqual(
        ["detection", "pose"].filter((name) => name === printed.task),
      )
      const { config } = JSON.parse((await command(["run", preset, "--dry-run", "--json"])).stdout)
      expect(Object.keys(config.augment)).toHaveLength(9)
      // What is left out are defaults, so that the text is a file of the same settings.
      expect(runConfigSchema.parse(printed)).toEqual(config)
    }
  })

  it("exits with 2 for bad input, in words on stderr and as an object with --json", async () => {
    const { code, stdout, stderr } = await command(["run", settings, "--out", folder, "--json"], {
      openDataset: fail(badData),
    })
    expect(code).toBe(2)
    expect(stderr).toContain("learnloss: a.bin: expected this, got that. Do so.")
    expect(JSON.parse(stdout).error).toMatchObject({ code: "BAD_MAGIC", where: "a.bin", fix: "Do so." })
    expect(readdirSync(root)).toEqual(["fake.yaml"])
  })

  it("exits with 1 for a defect, with the stack and a request to report it", async () => {
    const { code, stderr } = await command(["run", settings, "--out", folder], {
      runTrial: fail(new TypeError("x is not y")),
    })
    expect(code).toBe(1)
    expect(stderr).toMatch(/defect of learnloss. Please report.*TypeError: x is not y\n +at /s)
  })

  it("exits with 130 when interrupted, says how to go on, and goes on", async () => {
    const controller = new AbortController()
    const runTrial: ExperimentParts["runTrial"] = (trial) => {
      if (trial.strategy === "entropy") controller.abort()
      return createFakeTrial()(trial)
    }
    const stopped = await command(["run", settings, "--out", folder, "--json"], { runTrial }, controller.signal)
    expect(stopped.code).toBe(130)
    expect(stopped.stderr).toContain(`learnloss resume ${folder}\n`)
    expect(JSON.parse(stopped.stdout).error.code).toBe("INTERRUPTED")

    const resumed = await command(["resume", folder])
    expect(resumed.code).toBe(0)
    expect(resumed.stderr).toContain("30 steps in all, 9 of them done")
    expect((await command(["resume", folder])).stdout).toBe(resumed.stdout)
  })

  it("does not offer to resume what was interrupted before it began", async () => {
    const controller = new AbortController()
    const openDataset = async () => {
      controller.abort()
      return fakeDataset()
    }
    const { code, stderr } = await command(["run", settings, "--out", folder], { openDataset }, controller.signal)
    expect(code).toBe(130)
    expect(stderr).toMatch(/^Interrupted before training; no run was written\. The same command starts it/)
    expect(stderr).not.toContain("resume")
    expect(existsSync(folder)).toBe(false)
  })

  it("says in its first and last line when it ran on fallback data", async () => {
    const parts: Partial<ExperimentParts> = {
      openDataset: async (spec) =>
        spec === "shapes" ? fakeDataset() : await fail(new LearnlossError("DATA_NOT_FOUND", badData.details))(),
      fetchDataset: fail(badData),
    }
    const set = ["--set", "data=fashion-mnist", "--set", "fallbackData=shapes"]
    const lines = (await command(["run", settings, "--out", folder, ...set], parts)).stdout.trimEnd().split("\n")
    expect(lines[0]).toMatch(/^This run uses "shapes" because/)
    expect(lines.at(-1)).toBe(lines[0])
    rmSync(folder, { recursive: true })
    const { stdout } = await command(["run", settings, "--out", folder, "--json", ...set], parts)
    expect(JSON.parse(stdout)).toMatchObject({ data: "shapes", notice: lines[0] })
  })
})

describe("the built command", () => {
  it("survives a reader that goes away", () => {
    const bin = new URL("../bin/learnloss.js", import.meta.url).pathname
    if (!existsSync(new URL("../dist/main.js", import.meta.url))) return
    const script = `node ${bin} run cifar10-paper --dry-run | head -1; echo "\${PIPESTATUS[0]}"`
    const { stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" })
    expect(stderr).toBe("")
    expect(stdout).toBe("name: cifar10-paper\n0\n")
  })
})
