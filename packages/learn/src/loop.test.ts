import { mkdtempSync, rmSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import {
  type RunConfig,
  type RunConfigInput,
  runConfigSchema,
  type StrategyName,
  strategyNames,
  timingFields,
} from "@learnloss/contract"
import { createRng, loadCheckpoint } from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import { openDataset } from "./data/open-dataset.ts"
import { shapePool } from "./data/shape-pool.ts"
import type { CycleResult, LoopEvent, TrialRecorder } from "./events.ts"
import { runTrial } from "./loop.ts"
import { resolveRun } from "./resolve-run.ts"
import { leaderOf } from "./training/strategy-training.ts"

const dataset = shapePool(
  await openDataset("shapes:200,60", {
    imageSize: 32,
    rng: createRng("shapes"),
    onProgress: () => {},
    onDefect: () => {},
  }),
  { imbalance: 1, size: 160, testSize: 60 },
  createRng("pool"),
)

function configOf(changes: Partial<RunConfigInput> = {}): RunConfig {
  return runConfigSchema.parse({
    data: "shapes",
    model: { name: "cnn4", width: 4 },
    lossModule: { width: 8 },
    training: { steps: 6, batch: 8, learningRate: 0.05, checkpointSeconds: 0 },
    budget: { initial: 20, perCycle: 10, cycles: 3, candidates: 50 },
    strategies: [...strategyNames],
    engine: { threads: 1, lowerings: "fixed" },
    ...changes,
  })
}

interface Kept extends TrialRecorder {
  readonly results: CycleResult[]
  readonly finished: { cycles: CycleResult["record"][]; selections: NonNullable<CycleResult["selection"]>[] }
}

function recorder(checkpointFolder = mkdtempSync(join(tmpdir(), "learnloss-loop-"))): Kept {
  const kept: Kept = {
    results: [],
    finished: { cycles: [], selections: [] },
    checkpointFolder,
    recordInitial: (selection) => void kept.finished.selections.push(selection),
    recordCycle(result) {
      kept.results.push(result)
      kept.finished.cycles.push(result.record)
      if (result.selection !== null) kept.finished.selections.push(result.selection)
    },
  }
  return kept
}

async function run(
  strategy: StrategyName,
  config = configOf(),
  kept = recorder(),
  emit = (_: LoopEvent) => {},
  signal?: AbortSignal,
) {
  const options = {
    config,
    dataset,
    strategy,
    trial: 1,
    recorder: kept,
    emit,
    signal: signal ?? new AbortController().signal,
  }
  await runTrial(options)
  return kept
}

/** What must be equal between two runs with the same seed. */
function untimed({ results, finished }: Kept) {
  const timeless = finished.cycles.map((record) => ({
    ...record,
    ...Object.fromEntries(timingFields.map((field) => [field, 0])),
  }))
  return JSON.stringify([timeless, finished.selections, results.map(({ predictions }) => predictions)])
}

describe.each(strategyNames)("the loop with %s", (strategy) => {
  test("labels more each cycle, never twice, and selects nothing after the last cycle", async () => {
    const { results, finished } = await run(strategy)
    expect(results.map(({ record }) => record.labels)).toEqual([20, 30, 40])
    expect(finished.selections.map(({ cycle, ids }) => [cycle, ids.length])).toEqual([
      [0, 20],
      [1, 10],
      [2, 10],
    ])
    const labeled = finished.selections.flatMap(({ ids }) => ids)
    expect(new Set(labeled).size).toBe(40)
    for (const id of labeled) expect(dataset.train.ids).toContain(id)
    expect(results[2]?.selection).toBe(null)
    expect(results[0]?.picked.map(({ id }) => id)).toEqual(results[0]?.selection?.ids)
    for (const { record, predictions } of results) {
      const hasModule = strategy.startsWith("learning-loss")
      expect(record.rankingAccuracy === null).toBe(!hasModule)
      expect(predictions.predictedLoss === null).toBe(!hasModule)
      expect(record.confidenceRankingAccuracy).toBeGreaterThan(0)
      expect(record.metrics.accuracy).toBeGreaterThanOrEqual(0)
      const { dataWaitSeconds, scoreWaitSeconds = Number.NaN, evaluateSeconds, selectSeconds } = record
      expect(dataWaitSeconds).toBeLessThanOrEqual(record.trainSeconds)
      expect(scoreWaitSeconds).toBeGreaterThanOrEqual(0)
      expect(scoreWaitSeconds).toBeLessThanOrEqual(evaluateSeconds + (selectSeconds ?? 0))
      expect(record.labelsPerClass?.reduce((sum, count) => sum + count)).toBe(record.labels)
    }
  })
})

/** Runs the second strategy from the first cycle of the first, whose checkpoint folder it is given. */
async function share(leader: StrategyName, follower: StrategyName, config: RunConfig) {
  const follows = recorder()
  const leads = await run(leader, config, { ...recorder(), followers: [follows.checkpointFolder] })
  const [first] = leads.results
  return { leads, follows: await run(follower, config, { ...follows, shared: first }) }
}

describe("the first cycle of strategies that train alike", () => {
  test.each([
    ["random", "core-set", "fresh", 3],
    ["entropy", "random", "last-cycle", 3],
    ["random", "entropy", "fresh", 1],
  ] as const)(
    "is trained once for %s and %s, starting from %s, with the records of separate training",
    async (leader, follower, startFrom, cycles) => {
      const config = configOf({
        training: { ...configOf().training, startFrom },
        budget: { ...configOf().budget, cycles },
      })
      const { leads, follows } = await share(leader, follower, config)
      expect(untimed(leads)).toBe(untimed(await run(leader, config)))
      const [first, ...others] = follows.finished.cycles
      expect(first).toMatchObject({ sharedWith: leader, trainSeconds: 0, dataWaitSeconds: 0, evaluateSeconds: 0 })
      for (const { sharedWith } of others) expect(sharedWith).toBe(undefined)
      expect(untimed(follows).replace(`"sharedWith":"${leader}",`, "")).toBe(untimed(await run(follower, config)))
    },
  )

  test("is shared by modules that are trained as a control too", async () => {
    const config = configOf({ lossModule: { width: 8, training: "detached" } })
    const { follows } = await share("random", "learning-loss", config)
    const alone = await run("learning-loss", config)
    expect(untimed(follows).replace('"sharedWith":"random",', "")).toBe(untimed(alone))
  })

  test("is not trained again after an interruption in what follows it", async () => {
    const config = configOf()
    const { follows } = await share("random", "entropy", config)
    const leads = { ...recorder(), followers: [mkdtempSync(join(tmpdir(), "learnloss-loop-"))] }
    await run("random", config, leads)
    const [checkpointFolder = ""] = leads.followers
    expect(loadCheckpoint(checkpointFolder)?.meta).toMatchObject({ cycle: 1, step: 6, sharedWith: "random" })
    const kept = { ...recorder(checkpointFolder), shared: leads.results[0] }
    const abort = new AbortController()
    const stop = ({ type }: LoopEvent) => type === "cycle-started" && abort.abort()
    await expect(run("entropy", config, kept, stop, abort.signal)).rejects.toThrow(/request to stop/)
    expect(kept.finished.cycles).toEqual([])
    await run("entropy", config, kept)
    expect(untimed(kept)).toBe(untimed(follows))
  })

  test("is trained all the same where its checkpoint was lost, and evaluated where its record was", async () => {
    const config = configOf({ budget: { ...configOf().budget, cycles: 2 } })
    const alone = untimed(await run("entropy", config))
    const leads = await run("random", config)
    const kept = { ...recorder(), shared: leads.results[0] }
    expect(untimed(await run("entropy", config, kept))).toBe(alone)
    const follows = recorder()
    await run("random", config, { ...recorder(), followers: [follows.checkpointFolder] })
    expect(untimed(await run("entropy", config, follows)).replace(`"sharedWith":"random",`, "")).toBe(alone)
  })

  test("belongs to the first strategy of a run that trains as another does", () => {
    const leaders = (changes: Partial<RunConfigInput> = {}) =>
      strategyNames.map((name) => leaderOf(name, configOf(changes)))
    expect(leaders()).toEqual([
      ...["random", "random", "random"],
      ...["learning-loss", "learning-loss-mse", "learning-loss-outputs"],
    ])
    // The objective and what the module reads stay those of the strategy.
    expect(leaders({ lossModule: { training: "joint" } })).toEqual([
      ...["random", "random", "random", "random"],
      ...["learning-loss-mse", "learning-loss-outputs"],
    ])
    expect(leaderOf("entropy", configOf({ strategies: ["core-set", "entropy"] }))).toBe("core-set")
  })
})

describe("the loop", () => {
  test("shares the initial set and the first training of strategies that train alike", async () => {
    const [random, entropy, learningLoss] = [await run("random"), await run("entropy"), await run("learning-loss")]
    expect(entropy.finished.selections[0]?.ids).toEqual(random.finished.selections[0]?.ids)
    expect(learningLoss.finished.selections[0]?.ids).toEqual(random.finished.selections[0]?.ids)
    expect(entropy.finished.cycles[0]?.testLoss).toBe(random.finished.cycles[0]?.testLoss)
    expect(learningLoss.finished.cycles[0]?.testLoss).not.toBe(random.finished.cycles[0]?.testLoss)
  })

  test("labels candidates only: with as many candidates as labels, every strategy takes what was drawn", async () => {
    const config = configOf({ budget: { initial: 20, perCycle: 10, cycles: 2, candidates: 10 } })
    const [random, learningLoss] = [await run("random", config), await run("learning-loss", config)]
    expect(learningLoss.finished.selections[1]?.ids.toSorted()).toEqual(random.finished.selections[1]?.ids.toSorted())
  })

  test("gives the same bits again, and others with another seed", async () => {
    const first = untimed(await run("learning-loss-outputs"))
    expect(untimed(await run("learning-loss-outputs"))).toBe(first)
    expect(untimed(await run("learning-loss-outputs", configOf({ seed: 1 })))).not.toBe(first)
  })

  // Pairs and a memory of 20 samples, which batches of 8 do not fill evenly.
  const paired = { width: 8, pairs: "all", memory: 20 } as const
  test.each([
    ["fresh", { width: 8 }, "sgd"],
    ["last-cycle", { width: 8 }, "sgd"],
    ["fresh", paired, "sgd"],
    ["last-cycle", paired, "rmsprop"],
  ] as const)(
    "starting from %s with %j and %s, an interrupted trial goes on to the same bits",
    async (startFrom, lossModule, optimizer) => {
      const training = { ...configOf().training, startFrom, optimizer }
      const rate = optimizer === "rmsprop" ? { learningRate: 1e-3 } : {}
      const config = configOf({ lossModule, training: { ...training, ...rate } })
      const straight = untimed(await run("learning-loss", config))
      const kept = recorder()
      for (const stopAt of [
        { cycle: 1, step: 4 },
        { cycle: 2, step: 1 },
        { cycle: 2, step: 6 },
        { cycle: 3, step: 3 },
      ]) {
        const abort = new AbortController()
        const stop = (event: LoopEvent) => {
          if (event.type === "step" && event.cycle === stopAt.cycle && event.step === stopAt.step) abort.abort()
        }
        await expect(run("learning-loss", config, kept, stop, abort.signal)).rejects.toThrow(/request to stop/)
      }
      const fromSteps: number[] = []
      await run("learning-loss", config, kept, (event) => {
        if (event.type === "cycle-started") fromSteps.push(event.fromStep)
      })
      expect(fromSteps).toEqual([3])
      expect(untimed(kept)).toBe(straight)
    },
  )

  test("pairs and a memory change how a module learns to rank, and nothing of one that learns the losses themselves", async () => {
    const [alone, remembering] = [configOf(), configOf({ lossModule: { ...paired, training: "detached" } })]
    const detached = configOf({ lossModule: { width: 8, training: "detached" } })
    const [ranks, plain] = [await run("learning-loss", remembering), await run("learning-loss", detached)]
    expect(ranks.results[0]?.predictions.predictedLoss).not.toEqual(plain.results[0]?.predictions.predictedLoss)
    expect(ranks.results[0]?.record.testLoss).toBe(plain.results[0]?.record.testLoss)
    const joint = configOf({ lossModule: paired })
    expect(untimed(await run("learning-loss-mse", joint))).toBe(untimed(await run("learning-loss-mse", alone)))
  })

  test("continues the weights of the last cycle or draws new ones", async () => {
    const warm = await run("random", configOf())
    const fresh = await run("random", configOf({ training: { ...configOf().training, startFrom: "fresh" } }))
    expect(warm.finished.selections).toEqual(fresh.finished.selections)
    expect(warm.finished.cycles[1]?.testLoss).not.toBe(fresh.finished.cycles[1]?.testLoss)
  })

  test("trains the module with a baseline as a control, and refuses to select by one that is not trained", async () => {
    const control = await run("random", configOf({ lossModule: { width: 8, training: "detached" } }))
    const alone = await run("random")
    expect(control.finished.cycles[0]?.rankingAccuracy).not.toBe(null)
    expect(control.finished.cycles[0]?.lossModule).toBe("detached")
    // A detached module never reaches the network.
    expect(control.finished.cycles[0]?.testLoss).toBe(alone.finished.cycles[0]?.testLoss)
    const joint = await run("random", configOf({ lossModule: { width: 8, training: "joint" } }))
    expect(joint.finished.cycles[0]?.testLoss).not.toBe(alone.finished.cycles[0]?.testLoss)
    await expect(run("learning-loss", configOf({ lossModule: { training: "none" } }))).rejects.toThrow(
      /trained in every cycle/,
    )
    expect(() => configOf({ lossModule: { weight: 0 } })).toThrow(/weight/)
  })

  test("stops at a loss that is no number, naming step and learning rate, and keeps what was finished", async () => {
    const kept = recorder()
    await expect(
      run("random", configOf({ training: { ...configOf().training, learningRate: 1e30 } }), kept),
    ).rejects.toThrow(
      /random, trial 1, cycle 1, step \d+: expected a finite loss, got (NaN|-?Infinity) at learning rate/,
    )
    expect(kept.finished.cycles).toEqual([])
  })

  test("notices weights that overflowed in the very last step", async () => {
    const config = configOf({ training: { steps: 1, batch: 8, learningRate: 1e30 } })
    await expect(run("random", config)).rejects.toThrow(
      /cycle 1, after step 1, its last: expected finite values of \w+ on the test set/,
    )
  })

  test("refuses a checkpoint of another model by the tensor that differs", async () => {
    const kept = recorder()
    await run("random", configOf({ budget: { initial: 20, perCycle: 10, cycles: 1 } }), kept)
    await expect(run("random", configOf({ model: { name: "cnn4", width: 8 } }), kept)).rejects.toThrow(
      /stages\.0\.0\.weight \[8, 3, 3, 3\]/,
    )
  })

  test("says so when a cycle should continue weights that are gone", async () => {
    const kept = recorder()
    await run("random", configOf({ budget: { initial: 20, perCycle: 10, cycles: 1 } }), kept)
    kept.finished.selections.push({
      strategy: "random",
      trial: 1,
      cycle: 1,
      ids: [...dataset.train.ids.slice(0, 10)],
      scores: null,
    })
    rmSync(kept.checkpointFolder, { recursive: true })
    await expect(run("random", configOf(), kept)).rejects.toThrow(/weights at the end of cycle 1.*no checkpoint/)
  })

  test("resolves threads and lowerings where the settings leave them open", async () => {
    const cache = mkdtempSync(join(tmpdir(), "learnloss-measured-"))
    const told: string[] = []
    const options = { cache, onMeasure: (done: number, total: number) => told.push(`${done}/${total}`) }
    const resolved = await resolveRun(configOf({ engine: {} }), dataset, () => {}, options)
    expect(resolved.engine.threads).toBeGreaterThanOrEqual(1)
    expect(Object.keys(resolved.engine.lowerings).length).toBeGreaterThan(8)
    expect(Object.keys(resolved.engine.lowerings).some((key) => key.startsWith("inference"))).toBe(true)
    expect([32, 64, 128, 256]).toContain(resolved.engine.evaluationBatch)
    expect(told.length).toBeGreaterThan(4)
    const before = told.length
    expect(await resolveRun(configOf({ engine: {} }), dataset, () => {}, options)).toEqual(resolved)
    expect(told).toHaveLength(before)
    rmSync(cache, { recursive: true })
    const fixed = configOf()
    expect(await resolveRun(fixed, dataset, () => {})).toEqual({
      ...fixed,
      engine: { ...fixed.engine, jobs: 1, evaluationBatch: 128 },
    })
    const several = await resolveRun(configOf({ engine: { lowerings: "fixed", jobs: 2 } }), dataset, () => {})
    expect(several.engine).toMatchObject({ jobs: 2, threads: Math.max(1, Math.floor(availableParallelism() / 2)) })
  })

  test("computes the same bits by the same measured plan, and refuses to go on by another", async () => {
    const cache = mkdtempSync(join(tmpdir(), "learnloss-measured-"))
    const settings = configOf({ engine: { threads: 1 }, budget: { initial: 20, perCycle: 10, cycles: 1 } })
    const config = await resolveRun(settings, dataset, () => {}, { cache })
    rmSync(cache, { recursive: true })
    const [once, again] = [await run("learning-loss", config), await run("learning-loss", config)]
    expect(untimed(again)).toBe(untimed(once))
    const plan = config.engine.lowerings as Record<string, string>
    const evaluated = Object.keys(plan).find((key) => key.startsWith("inference ")) as string
    const scoredOtherwise = { ...config.engine, lowerings: { ...plan, [evaluated]: "another" } }
    await expect(
      run("learning-loss", { ...config, engine: scoredOtherwise }, recorder(once.checkpointFolder)),
    ).rejects.toThrow(`${evaluated}: expected the lowering another, as engine.lowerings says`)
    // Another run may bring the plan; the batch of evaluation comes with it.
    const brought = configOf({ engine: { threads: 1, lowerings: plan }, budget: settings.budget })
    expect((await resolveRun(brought, dataset, () => {}, { cache })).engine).toEqual(config.engine)
    const product = Object.keys(plan).find((key) => key.startsWith("weight-gradient 8x4x")) as string
    const other = plan[product] === "swapped" ? "patch-columns" : "swapped"
    const changed = { ...config, engine: { ...config.engine, lowerings: { ...plan, [product]: other } } }
    await expect(run("learning-loss", changed, recorder(once.checkpointFolder))).rejects.toThrow(
      `${product}: expected the lowering ${other}, as engine.lowerings says, got a checkpoint that was trained with ${plan[product]}`,
    )
    const resumed = await run("learning-loss", config, recorder(once.checkpointFolder))
    expect(untimed(resumed)).toBe(untimed(once))
  })
})
