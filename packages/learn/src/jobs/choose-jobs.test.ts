import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type RunConfig, type RunConfigInput, runConfigSchema } from "@learnloss/contract"
import { createRng, fixedPlan, openMeasurements } from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import { openDataset } from "../data/open-dataset.ts"
import { openLearner } from "../resolve-run.ts"
import {
  chooseJobs,
  isLayoutOpen,
  layoutTimer,
  namedLayout,
  remembered,
  stepName,
  type TimeLayout,
} from "./choose-jobs.ts"

function configOf(changes: Partial<RunConfigInput> = {}): RunConfig {
  return runConfigSchema.parse({
    data: "shapes",
    model: { name: "cnn4", width: 4 },
    training: { steps: 1000, batch: 8 },
    budget: { initial: 20, perCycle: 10, cycles: 3 },
    strategies: ["random", "learning-loss"],
    ...changes,
  })
}

/** Milliseconds of the clock for a step by the number of jobs, and what was asked for. */
function timer(milliseconds: Readonly<Record<number, number>>, bytes = 0) {
  const asked: number[] = []
  const time: TimeLayout = async ({ jobs }) => {
    asked.push(jobs)
    return { milliseconds: milliseconds[jobs] as number, bytes }
  }
  return { asked, time }
}

const choose = (config: RunConfig, cores: number, { time }: ReturnType<typeof timer>, said: string[] = []) =>
  chooseJobs(config, cores, time, (line) => said.push(line))

describe("how many jobs train at once", () => {
  test("is what ends the run soonest, and is said", async () => {
    const said: string[] = []
    expect(await choose(configOf(), 2, timer({ 1: 10, 2: 7 }), said)).toEqual({ jobs: 2, threads: 1 })
    expect(said[0]).toMatch(/Training 2 at once with one thread each, about 1\.4 times as fast.*engine\.jobs=1/)
    expect(await choose(configOf(), 2, timer({ 1: 10, 2: 9.5 }), said)).toEqual({ jobs: 1, threads: 2 })
    expect(said).toHaveLength(1)
  })

  test("counts in the job that is left alone at the end", async () => {
    const three = configOf({ strategies: ["random", "learning-loss", "learning-loss-mse"] })
    // 9,000 steps by themselves, 6,000 of the clock for two at once: 90 s against 84 s, and against 96 s.
    expect(await choose(three, 2, timer({ 1: 10, 2: 6.9 }))).toMatchObject({ jobs: 2 })
    expect(await choose(three, 2, timer({ 1: 10, 2: 8 }))).toMatchObject({ jobs: 1 })
  })

  test("is found by halving the threads for as long as that helps", async () => {
    const many = configOf({ trials: 8 })
    const stops = timer({ 1: 10, 2: 7, 4: 8 })
    expect(await choose(many, 8, stops)).toEqual({ jobs: 2, threads: 4 })
    expect(stops.asked).toEqual([1, 2, 4])
    expect(await choose(many, 8, timer({ 1: 10, 2: 7, 4: 6, 8: 5 }))).toEqual({ jobs: 8, threads: 1 })
  })

  test.each<[string, Partial<RunConfigInput>, number]>([
    ["a single job", { strategies: ["random"] }, 2],
    ["a single core", {}, 1],
    ["a run too short to be worth it", { training: { steps: 30, batch: 8 } }, 2],
  ])("is one for %s, without timing anything", async (_, changes, cores) => {
    const unused = timer({})
    expect(await choose(configOf(changes), cores, unused)).toEqual({ jobs: 1, threads: cores })
    expect(unused.asked).toEqual([])
  })

  test("is one where the memory that is free holds no two", async () => {
    expect(await choose(configOf(), 2, timer({ 1: 10, 2: 5 }, 2 ** 60))).toEqual({ jobs: 1, threads: 2 })
  })

  test("is left alone where settings name it, or threads, or ask for fixed ways", () => {
    const engine = (given: RunConfigInput["engine"]) => configOf({ engine: given })
    expect(isLayoutOpen(engine({}))).toBe(true)
    for (const given of [{ jobs: 1 }, { threads: 2 }, { lowerings: "fixed" }, { device: "webgpu" }] as const) {
      expect(isLayoutOpen(engine(given))).toBe(false)
    }
    expect(namedLayout(engine({ jobs: 3 }), 8)).toEqual({ jobs: 3, threads: 2 })
    expect(namedLayout(engine({ jobs: 4 }), 2)).toEqual({ jobs: 4, threads: 1 })
    expect(namedLayout(engine({ jobs: 2, threads: 8 }), 2)).toEqual({ jobs: 2, threads: 8 })
    expect(namedLayout(engine({}), 8)).toEqual({ jobs: 1, threads: 8 })
  })

  test("is timed once a machine for each training step", async () => {
    const folder = mkdtempSync(join(tmpdir(), "learnloss-layouts-"))
    const { asked, time } = timer({ 1: 10, 2: 7 })
    const choice = (step: string) => {
      const measurements = openMeasurements({ folder, session: { threads: 2 } })
      return chooseJobs(
        configOf(),
        2,
        remembered(time, measurements, async (threads) => `${step} ${threads}`),
        () => {},
      )
    }
    for (const step of ["one", "one", "another"]) expect(await choice(step)).toEqual({ jobs: 2, threads: 1 })
    expect(asked).toEqual([1, 2, 1, 2])
    rmSync(folder, { recursive: true })
  })

  test("is timed by training steps that really run at once", async () => {
    const config = configOf()
    const data = await openDataset("shapes:40,20", {
      imageSize: 32,
      rng: createRng("shapes"),
      onProgress() {},
      onDefect() {},
    })
    const { learner } = await openLearner(config, data, "learning-loss")
    const other = await openLearner(configOf({ model: { name: "cnn4", width: 8 } }), data, "learning-loss")
    expect(stepName(learner, fixedPlan)).not.toBe(stepName(other.learner, fixedPlan))
    expect(stepName(learner, fixedPlan)).not.toBe(stepName(learner, { "forward x": "wide" }))
    const time = layoutTimer(learner, data, async () => fixedPlan, "cpu")
    for (const jobs of [1, 2]) {
      const { milliseconds } = await time({ jobs, threads: 1 }, 4)
      expect(milliseconds).toBeGreaterThan(0)
      expect(milliseconds).toBeLessThan(1000)
    }
  })
})
