import { type CycleRecord, type RunConfig, type RunConfigInput, runConfigSchema } from "@learnloss/contract"
import { expect, test } from "vitest"
import { jobsOf, nextJob, stepsAtOnce } from "./schedule.ts"

function configOf(changes: Partial<RunConfigInput> = {}): RunConfig {
  return runConfigSchema.parse({
    data: "shapes",
    model: { name: "cnn4" },
    training: { steps: 10 },
    budget: { initial: 20, perCycle: 10, cycles: 3 },
    strategies: ["random", "entropy", "learning-loss"],
    ...changes,
  })
}
const finished = (...places: [CycleRecord["strategy"], number, number][]) =>
  places.map(([strategy, trial, cycle]) => ({ strategy, trial, cycle }) as CycleRecord)
const named = (jobs: readonly { strategy: string; trial: number }[]) =>
  jobs.map(({ strategy, trial }) => `${strategy} ${trial}`)

test("jobs are what is left, and one that shares its first cycle waits for it and is shorter by it", () => {
  const config = configOf({ trials: 2 })
  expect(jobsOf(config, []).slice(0, 4)).toEqual([
    { strategy: "random", trial: 1, waitsFor: null, firstSteps: 10, steps: 30 },
    { strategy: "entropy", trial: 1, waitsFor: "random", firstSteps: 0, steps: 20 },
    { strategy: "learning-loss", trial: 1, waitsFor: null, firstSteps: 10, steps: 30 },
    { strategy: "random", trial: 2, waitsFor: null, firstSteps: 10, steps: 30 },
  ])
  const later = finished(["random", 1, 1], ["random", 1, 2], ["random", 1, 3], ["learning-loss", 1, 1])
  expect(jobsOf(config, later).slice(0, 2)).toEqual([
    { strategy: "entropy", trial: 1, waitsFor: null, firstSteps: 0, steps: 20 },
    { strategy: "learning-loss", trial: 1, waitsFor: null, firstSteps: 0, steps: 20 },
  ])
})

test("epochs make later cycles longer", () => {
  const [job] = jobsOf(configOf({ training: { epochs: 2, batch: 10 } }), [])
  expect(job).toMatchObject({ firstSteps: 4, steps: 4 + 6 + 8 })
})

test("of the earliest trial the longest job starts first, and none before the cycle that it shares", () => {
  const config = configOf({ strategies: ["entropy", "random", "learning-loss"], trials: 2 })
  const order: string[] = []
  let waiting = jobsOf(config, [])
  const done = new Set<string>()
  while (waiting.length > 0) {
    const job = nextJob(waiting, (strategy, trial) => done.has(`${strategy} ${trial}`))
    // Nothing else is ready: the first cycles of all that run end.
    if (job === undefined) for (const name of order) done.add(name)
    else {
      order.push(...named([job]))
      waiting = waiting.filter((other) => other !== job)
    }
  }
  expect(order).toEqual([
    ...["entropy 1", "learning-loss 1", "entropy 2", "learning-loss 2"],
    ...["random 1", "random 2"],
  ])
})

test("jobs at once take as long as the core that has most to do", () => {
  const all = jobsOf(configOf(), [])
  expect(stepsAtOnce(all, 1)).toBe(80)
  // random and learning-loss side by side, then entropy alone.
  expect(stepsAtOnce(all, 2)).toBe(50)
  // entropy starts when the first cycle of random ends.
  expect(stepsAtOnce(all, 3)).toBe(30)
  // 240 steps for two; the job that is left at the end has 20.
  expect(stepsAtOnce(jobsOf(configOf({ trials: 3 }), []), 2)).toBe(130)
  expect(stepsAtOnce([], 2)).toBe(0)
})
