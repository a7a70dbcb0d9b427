import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { LearnlossError } from "@learnloss/engine"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import {
  createFakeTrial,
  fakeDataset,
  fakeParts,
  quietOptions,
  recordsOf,
  writeFakeSettings,
} from "./fake-parts.test-suite.ts"
import { loadRunConfig } from "./load-config.ts"
import type { ExperimentParts } from "./parts.ts"
import { type ExperimentOptions, type Outcome, resumeRun, startRun } from "./run-experiment.ts"
import { runFiles } from "./run-files.ts"
import { lockFile, lockRun } from "./run-lock.ts"

let root: string
let folder: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "learnloss-run-"))
  folder = join(root, "run")
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const settings = (set: string[] = []) => loadRunConfig(writeFakeSettings(root), { set })

const options = (replaced: Partial<ExperimentParts> = {}, changed: Partial<ExperimentOptions> = {}) =>
  quietOptions(folder, { parts: fakeParts(replaced), ...changed })

const start = (set: string[] = [], ...given: Parameters<typeof options>): Promise<Outcome> =>
  startRun(settings(set), options(...given))
const failing = (code: string) => async () => {
  throw new LearnlossError(code, { where: "here", expected: "this", got: "that" })
}

/** Parts whose trials are interrupted after some steps of all trials together. */
function interruptedAfter(steps: number): ExperimentOptions {
  const controller = new AbortController()
  let done = 0
  const watch: ExperimentOptions["watch"] = () => ({
    say() {},
    show: (event) => event.type === "step" && ++done === steps && controller.abort(),
    close() {},
  })
  return options({}, { signal: controller.signal, watch })
}

describe("startRun", () => {
  it("ends between two products when it is interrupted while ways to compute are measured, with nothing written", async () => {
    const controller = new AbortController()
    const measured: number[] = []
    const resolveRun: ExperimentParts["resolveRun"] = async (config, _dataset, _say, { onMeasure }) => {
      for (let done = 0; done < 5; done++) {
        onMeasure?.(done, 5)
        measured.push(done)
        if (done === 2) controller.abort()
      }
      return config
    }
    const run = start([], { resolveRun }, { signal: controller.signal })
    await expect(run).rejects.toMatchObject({ code: "INTERRUPTED" })
    expect(measured).toEqual([0, 1, 2])
    expect(existsSync(folder)).toBe(false)
  })

  it("runs every strategy in every trial and leaves settings, records, pictures and report", async () => {
    const outcome = await start()
    const written = readFileSync(join(folder, runFiles.cycles), "utf8").trimEnd().split("\n")
    const places = written
      .map((line) => JSON.parse(line))
      .map(({ strategy, trial, cycle }) => `${strategy} ${trial} ${cycle}`)
    expect(places.slice(0, 7)).toEqual([
      ...["random 1 1", "random 1 2", "random 1 3", "entropy 1 1", "entropy 1 2", "entropy 1 3", "random 2 1"],
    ])
    expect(places).toHaveLength(12)
    expect(readdirSync(join(folder, runFiles.picked))).toHaveLength(8)
    expect(JSON.parse(readFileSync(join(folder, runFiles.config), "utf8"))).toEqual(outcome.config)
    expect(outcome.config.engine).toMatchObject({ threads: 2, lowerings: "fixed" })
    expect(outcome.written.table.strategies.map(({ strategy }) => strategy)).toEqual(["random", "entropy"])
    expect(existsSync(join(folder, lockFile))).toBe(false)
  })

  it("begins the selections of each strategy and trial with the initial set, the same in a trial", async () => {
    await start()
    const selections = readFileSync(join(folder, runFiles.selections), "utf8").trimEnd().split("\n")
    const initial = selections.map((line) => JSON.parse(line)).filter(({ cycle }) => cycle === 0)
    expect(initial.map(({ strategy, trial }) => `${strategy} ${trial}`)).toEqual([
      "random 1",
      "entropy 1",
      "random 2",
      "entropy 2",
    ])
    expect(initial[0].ids).toEqual(initial[1].ids)
    expect(initial[0].ids).not.toEqual(initial[2].ids)
  })

  it.each<[string, string, Partial<ExperimentParts>, string[]]>([
    ["data that cannot be read", "BAD_MAGIC", { openDataset: failing("BAD_MAGIC") }, []],
    ["a budget above the pool", "POOL_TOO_SMALL", { openDataset: async () => fakeDataset(19) }, []],
    [
      "data that cannot be fetched",
      "FETCH",
      { openDataset: failing("DATA_NOT_FOUND"), fetchDataset: failing("FETCH") },
      [],
    ],
    ["a path without data", "DATA_NOT_FOUND", { openDataset: failing("DATA_NOT_FOUND") }, ["data=cifar10:/nowhere"]],
  ])("writes nothing for %s", async (_, code, parts, set) => {
    await expect(start(set, parts)).rejects.toMatchObject({ code })
    expect(existsSync(folder)).toBe(false)
  })

  it("shows the arithmetic of a budget above the pool", async () => {
    const parts = { openDataset: async () => fakeDataset(19) }
    await expect(start([], parts)).rejects.toThrow(/19 images of the pool of shapes, got 10 \+ 5 x 2 = 20/)
  })

  it("refuses a folder that holds another run, and a file", async () => {
    await start()
    await expect(start()).rejects.toMatchObject({ code: "RUN_FOLDER_TAKEN" })
    await expect(start()).rejects.toThrow(/learnloss resume .*--out/)
    writeFileSync(join(root, "file"), "")
    await expect(start([], {}, { folder: join(root, "file") })).rejects.toMatchObject({ code: "RUN_FOLDER_UNUSABLE" })
  })

  it("refuses a folder in which another process is starting", async () => {
    mkdirSync(folder)
    const unlock = lockRun(folder)
    await expect(start()).rejects.toMatchObject({ code: "RUN_LOCKED" })
    unlock()
    await start()
  })

  it("has images decoded before it starts, so that a damaged one does not end it", async () => {
    const asked: boolean[] = []
    await start([], {
      openDataset: async (_, { decodes }) => {
        asked.push(decodes)
        return fakeDataset()
      },
    })
    expect(asked).toEqual([true])
  })

  it("fetches data that are known by name and not here", async () => {
    let isHere = false
    await start(["data=fashion-mnist", "fallbackData=shapes"], {
      openDataset: async (spec) =>
        spec === "fashion-mnist" && isHere ? fakeDataset() : await failing("DATA_NOT_FOUND")(),
      fetchDataset: async () => {
        isHere = true
      },
    })
    expect(JSON.parse(readFileSync(join(folder, runFiles.config), "utf8")).data).toBe("fashion-mnist")
  })

  it("falls back where data cannot be fetched, says so before all else and puts it on record", async () => {
    const said: string[] = []
    const parts: Partial<ExperimentParts> = {
      openDataset: async (spec) => (spec === "shapes" ? fakeDataset() : await failing("DATA_NOT_FOUND")()),
      fetchDataset: failing("NO_NETWORK"),
    }
    const listen = { announce: (line: string) => said.push(line), say: (line: string) => said.push(line) }
    const { config } = await start(["data=fashion-mnist", "fallbackData=shapes"], parts, listen)
    expect(config.data).toBe("shapes")
    expect(said[0]).toMatch(/"shapes" because the data it was made for could not be fetched/)
    expect(said[1]).toMatch(/here: expected this, got that/)
  })

  it("calls data that were asked for no replacement", async () => {
    const { config } = await start(["fallbackData=shapes"])
    expect(config).toMatchObject({ data: "shapes", fallbackData: null })
  })

  it("says so when a trial ends early without an error", async () => {
    await expect(start([], { runTrial: async () => {} })).rejects.toThrow("internal: trials ended after 0 of 12")
  })
})

describe("resumeRun", () => {
  it("ends with the same records wherever the run was interrupted", async () => {
    await start()
    const whole = recordsOf(folder)
    for (const steps of [1, 2, 3, 4, 9, 10, 15, 16, 19, 29]) {
      rmSync(folder, { recursive: true })
      await expect(startRun(settings(), interruptedAfter(steps))).rejects.toMatchObject({ code: "INTERRUPTED" })
      if (steps === 9) await expect(resumeRun(interruptedAfter(5))).rejects.toMatchObject({ code: "INTERRUPTED" })
      await resumeRun(options())
      expect(recordsOf(folder), `interrupted after ${steps} steps`).toEqual(whole)
    }
  })

  it("counts the steps of finished cycles for the display", async () => {
    await expect(startRun(settings(), interruptedAfter(8))).rejects.toMatchObject({ code: "INTERRUPTED" })
    const seen: number[] = []
    const watch: ExperimentOptions["watch"] = (_, stepsBefore) => {
      seen.push(stepsBefore)
      return { say() {}, show() {}, close() {} }
    }
    await resumeRun(options({}, { watch }))
    expect(seen).toEqual([6])
  })

  it("neither trains nor opens data nor writes when all is done", async () => {
    await start()
    const failAll = { openDataset: failing("OPENED"), runTrial: failing("RAN"), writeReport: failing("WROTE") }
    const { written } = await resumeRun(options(failAll))
    expect(written.table.labels).toEqual([10, 15, 20])
  })

  it("writes the report that a kill after the last cycle prevented", async () => {
    await expect(start([], { writeReport: failing("KILLED") })).rejects.toMatchObject({ code: "KILLED" })
    await resumeRun(options({ openDataset: failing("OPENED") }))
    expect(existsSync(join(folder, runFiles.report))).toBe(true)
  })

  it("writes again what is missing of a report, and refuses other images than it began with", async () => {
    await start()
    rmSync(join(folder, runFiles.learningCurvePng))
    await resumeRun(options())
    expect(existsSync(join(folder, runFiles.learningCurvePng))).toBe(true)
    const cycles = readFileSync(join(folder, runFiles.cycles), "utf8").trimEnd().split("\n")
    writeFileSync(join(folder, runFiles.cycles), `${cycles.slice(0, -1).join("\n")}\n`)
    const others = { openDataset: async () => fakeDataset(70) }
    await expect(resumeRun(options(others))).rejects.toMatchObject({ code: "RUN_DATA_CHANGED" })
  })

  it("draws the pictures that a kill or a failure prevented", async () => {
    const parts = { drawPicked: failing("DISK_FULL") }
    await expect(start([], parts)).rejects.toMatchObject({ code: "DISK_FULL" })
    rmSync(join(folder, runFiles.picked), { recursive: true, force: true })
    await resumeRun(options())
    expect(readdirSync(join(folder, runFiles.picked))).toHaveLength(8)
  })

  it("draws what detectors found after their last cycle, and again what a kill prevented", async () => {
    const runTrial = createFakeTrial({ finds: true })
    await expect(start([], { runTrial, drawFound: failing("DISK_FULL") })).rejects.toMatchObject({ code: "DISK_FULL" })
    await resumeRun(options({ runTrial }))
    const drawn = readdirSync(join(folder, runFiles.found))
    const names = ["entropy-trial1", "entropy-trial2", "random-trial1", "random-trial2"]
    expect(drawn.toSorted()).toEqual(names.map((name) => `${name}-cycle3.png`))
    rmSync(join(folder, runFiles.found, "random-trial2-cycle3.png"))
    await resumeRun(options({ runTrial: failing("RAN") }))
    expect(readdirSync(join(folder, runFiles.found))).toHaveLength(4)
  })

  it("never falls back to other data", async () => {
    const set = ["data=fashion-mnist", "fallbackData=shapes"]
    await expect(startRun(settings(set), interruptedAfter(2))).rejects.toMatchObject({ code: "INTERRUPTED" })
    const parts = { openDataset: failing("DATA_NOT_FOUND"), fetchDataset: failing("NO_NETWORK") }
    await expect(resumeRun(options(parts))).rejects.toMatchObject({ code: "DATA_NOT_FOUND" })
  })

  it.each<[string, string, (folder: string) => void]>([
    ["a folder that is missing", "RUN_NOT_FOUND", () => {}],
    ["a folder without a run", "RUN_NOT_FOUND", (path) => mkdirSync(path)],
    ["settings that break off", "RUN_FILE_INVALID", (path) => writeConfig(path, "{")],
    ["settings that do not fit", "CONFIG_INVALID", (path) => writeConfig(path, '{"data": 3}')],
  ])("refuses %s", async (_, code, prepare) => {
    prepare(folder)
    await expect(resumeRun(options())).rejects.toMatchObject({ code })
  })

  it("refuses a folder that another process works in", async () => {
    let second: Promise<unknown> = Promise.resolve()
    const runTrial: ExperimentParts["runTrial"] = async (trial) => {
      second = resumeRun(options()).catch((error: unknown) => error)
      await createFakeTrial()(trial)
    }
    await start([], { runTrial })
    expect(await second).toMatchObject({ code: "RUN_LOCKED" })
  })
})

function writeConfig(path: string, text: string): void {
  mkdirSync(path)
  writeFileSync(join(path, runFiles.config), text)
}
