import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openDataset, resolveRun, runTrial, shapePool } from "@learnloss/learn"
import { afterEach, beforeEach, expect, test } from "vitest"
import { fakeParts, quietOptions, recordsOf } from "./fake-parts.test-suite.ts"
import { loadRunConfig } from "./load-config.ts"
import { type ExperimentOptions, resumeRun, startRun } from "./run-experiment.ts"
import { runFiles } from "./run-files.ts"

// Runs that really train: what is shared has to be what each strategy would have trained by itself.

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "learnloss-shared-"))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const settings = (startFrom: string, strategies: string, ...set: string[]) =>
  loadRunConfig("shapes-tiny", {
    set: [
      ...set,
      ...[
        "data=shapes:200,60",
        "pool.size=150",
        "pool.testSize=40",
        "training.steps=5",
        "training.batch=8",
        "budget.initial=20",
      ],
      ...["budget.perCycle=10", "engine.threads=1", "engine.lowerings=fixed", "training.checkpointSeconds=0"],
      ...[`training.startFrom=${startFrom}`, `strategies=[${strategies}]`],
    ],
  })

function options(
  folder: string,
  stopAt?: { strategy: string; cycle: number; type: string } | { steps: number },
): ExperimentOptions {
  const controller = new AbortController()
  let steps = 0
  return quietOptions(folder, {
    parts: fakeParts({ openDataset, shapePool, resolveRun, runTrial }),
    signal: controller.signal,
    watch: () => ({
      say() {},
      show(event) {
        if (stopAt === undefined) return
        if (event.type === "step") steps++
        const isThere =
          "steps" in stopAt
            ? steps === stopAt.steps
            : event.strategy === stopAt.strategy && event.cycle === stopAt.cycle && event.type === stopAt.type
        if (isThere) controller.abort()
      },
      close() {},
    }),
  })
}

/** Records of one strategy, without times and without who shared them. */
function recordsFor(strategy: string, folder: string): string[] {
  const lines = Object.values(recordsOf(folder)).flatMap((text) => text.split("\n"))
  return lines
    .filter((line) => line.includes(`"strategy":"${strategy}"`))
    .map((line) => line.replace(/,"sharedWith":"[^"]+"/, ""))
}

test.each(["fresh", "last-cycle"])(
  "starting from %s, strategies that share a cycle record what they would alone, also after interruptions",
  async (startFrom) => {
    const folder = join(root, "together")
    const config = settings(startFrom, "random, entropy, core-set")
    await expect(
      startRun(config, options(folder, { strategy: "random", cycle: 1, type: "step" })),
    ).rejects.toMatchObject({ code: "INTERRUPTED" })
    for (const stopAt of [
      { strategy: "random", cycle: 1, type: "evaluating" },
      { strategy: "random", cycle: 2, type: "step" },
      { strategy: "entropy", cycle: 1, type: "cycle-started" },
      { strategy: "core-set", cycle: 2, type: "cycle-started" },
    ]) {
      await expect(resumeRun(options(folder, stopAt))).rejects.toMatchObject({ code: "INTERRUPTED" })
    }
    await resumeRun(options(folder))
    const lines = readFileSync(join(folder, runFiles.cycles), "utf8").trimEnd().split("\n")
    const shared = lines.map((line) => JSON.parse(line)).filter(({ sharedWith }) => sharedWith !== undefined)
    expect(shared.map(({ strategy, cycle, sharedWith }) => [strategy, cycle, sharedWith])).toEqual([
      ["entropy", 1, "random"],
      ["core-set", 1, "random"],
    ])
    for (const strategy of config.strategies) {
      const alone = join(root, strategy)
      await startRun(settings(startFrom, strategy), options(alone))
      expect(recordsFor(strategy, folder)).toEqual(recordsFor(strategy, alone))
    }
  },
)

test.each(["fresh", "last-cycle"])(
  "starting from %s, jobs that train at once record what they would one after the other, also after interruptions",
  async (startFrom) => {
    const [folder, single] = [join(root, "at-once"), join(root, "single")]
    const strategies = "random, entropy, learning-loss"
    await startRun(settings(startFrom, strategies), options(single))
    const config = settings(startFrom, strategies, "engine.jobs=2")
    // Which job is where differs from time to time, but 40 steps are more than these.
    await expect(startRun(config, options(folder, { steps: 3 }))).rejects.toMatchObject({ code: "INTERRUPTED" })
    for (const steps of [9, 11]) {
      await expect(resumeRun(options(folder, { steps }))).rejects.toMatchObject({ code: "INTERRUPTED" })
    }
    await resumeRun(options(folder))
    expect(recordsOf(folder)).toEqual(recordsOf(single))
  },
)
