import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  cycleRecordSchema,
  type RunConfig,
  type RunConfigInput,
  runConfigSchema,
  type ScoringPrecision,
  type StrategyName,
  timingFields,
} from "@learnloss/contract"
import { createRng } from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import { openDataset } from "../data/open-dataset.ts"
import { shapePool } from "../data/shape-pool.ts"
import type { CycleResult, LoopEvent, TrialRecorder } from "../events.ts"
import { runTrial } from "../loop.ts"
import { resolveRun } from "../resolve-run.ts"

const dataset = shapePool(
  await openDataset("shapes:400,60", {
    imageSize: 32,
    rng: createRng("shapes"),
    onProgress: () => {},
    onDefect: () => {},
  }),
  { imbalance: 1, size: 360, testSize: 60 },
  createRng("pool"),
)

function configOf(scoringPrecision: ScoringPrecision, changes: Partial<RunConfigInput> = {}): RunConfig {
  return runConfigSchema.parse({
    data: "shapes",
    model: { name: "cnn4", width: 8 },
    lossModule: { width: 8 },
    training: { steps: 12, batch: 16, learningRate: 0.05, checkpointSeconds: 0, startFrom: "fresh" },
    budget: { initial: 60, perCycle: 20, cycles: 2, candidates: 200 },
    strategies: ["random"],
    engine: { threads: 1, lowerings: "fixed", scoringPrecision },
    ...changes,
  })
}

function recorder() {
  const results: CycleResult[] = []
  const finished = { cycles: [] as CycleResult["record"][], selections: [] as NonNullable<CycleResult["selection"]>[] }
  const kept: TrialRecorder = {
    finished,
    checkpointFolder: mkdtempSync(join(tmpdir(), "learnloss-int8-")),
    recordInitial: (selection) => void finished.selections.push(selection),
    recordCycle(result) {
      results.push(result)
      // As a record is kept: written down and read again.
      finished.cycles.push(cycleRecordSchema.parse(JSON.parse(JSON.stringify(result.record))))
      if (result.selection !== null) finished.selections.push(result.selection)
    },
  }
  return kept
}

async function run(
  strategy: StrategyName,
  config: RunConfig,
  kept = recorder(),
  { signal, emit = () => {} }: { signal?: AbortSignal; emit?: (event: LoopEvent) => void } = {},
) {
  const always = new AbortController().signal
  await runTrial({ config, dataset, strategy, trial: 1, recorder: kept, emit, signal: signal ?? always })
  return kept.finished
}

function untimed({ cycles, selections }: TrialRecorder["finished"]) {
  const drop = (record: object) =>
    Object.fromEntries(Object.entries(record).filter(([name]) => !(timingFields as readonly string[]).includes(name)))
  return { cycles: cycles.map(drop), selections }
}

describe("scoring in int8", () => {
  test.each(["entropy", "core-set", "learning-loss", "learning-loss-outputs"] as const)(
    "orders candidates for %s almost as float32 does, and says how nearly",
    async (strategy) => {
      const [int8, float32] = [await run(strategy, configOf("int8")), await run(strategy, configOf("float32"))]
      const { int8: agreement, int8ExtraSeconds } = int8.cycles[0]!
      expect(agreement).toMatchObject({ quantizedProducts: 3, samples: 200, topCount: 20 })
      expect(agreement?.rankCorrelation).toBeGreaterThan(0.97)
      expect(agreement?.topShare).toBeGreaterThanOrEqual(0.8)
      expect(int8ExtraSeconds).toBeGreaterThan(0)
      expect(int8.cycles[1]).not.toHaveProperty("int8")
      for (const record of float32.cycles) expect(record).not.toHaveProperty("int8")
      // What is measured of the network never is in int8: the first cycle is the same to the bit.
      const metrics = ({ cycles: [first] }: typeof int8) => [first?.metrics, first?.testLoss, first?.rankingAccuracy]
      expect(metrics(int8)).toEqual(metrics(float32))
      const overlap = int8.selections[1]!.ids.filter((id) => float32.selections[1]!.ids.includes(id))
      expect(overlap.length).toBeGreaterThanOrEqual(strategy === "core-set" ? 10 : 16)
    },
  )

  test("costs a strategy nothing that needs no scores", async () => {
    const { cycles } = await run("random", configOf("int8"))
    for (const record of cycles) expect(record).not.toHaveProperty("int8")
  })

  test("gives the same bits again, through an interruption", async () => {
    const config = configOf("int8", { budget: { initial: 60, perCycle: 20, cycles: 3, candidates: 200 } })
    const straight = untimed(await run("learning-loss", config))
    const kept = recorder()
    const abort = new AbortController()
    const emit = (event: LoopEvent) => {
      if (event.type === "scoring" && event.cycle === 2) abort.abort()
    }
    await expect(run("learning-loss", config, kept, { signal: abort.signal, emit })).rejects.toThrow(/request to stop/)
    expect(kept.finished.cycles).toHaveLength(1)
    expect(untimed(await run("learning-loss", config, kept))).toEqual(straight)
  })

  test("is announced before a run with the number of products that stay in float32", async () => {
    const said: string[] = []
    await resolveRun(configOf("int8"), dataset, (line) => said.push(line))
    expect(said).toContain(
      "Candidates are scored in int8: 3 convolutions and large products; 2 stay in float32, as do all metrics.",
    )
  })

  test("is refused where nothing of a network can be quantised, and on devices without it", async () => {
    const narrow = configOf("int8", { model: { name: "cnn4", width: 1 } })
    await expect(resolveRun(narrow, dataset, () => {})).rejects.toThrow(/eight channels/)
    await expect(run("entropy", narrow)).rejects.toThrow(/eight channels/)
    const engine = { threads: 1, lowerings: "fixed", scoringPrecision: "int8", device: "webgpu" } as const
    await expect(resolveRun(configOf("int8", { engine }), dataset, () => {})).rejects.toThrow(/device cpu/)
  })
})
