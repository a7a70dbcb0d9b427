import { describe, expect, test } from "vitest"
import { mergeRuns } from "./merge-runs.ts"
import { readRunRecords } from "./read-run.ts"
import { type SyntheticOptions, writeSyntheticRun } from "./synthetic-run.test-suite.ts"

async function records(options: SyntheticOptions) {
  return readRunRecords(await writeSyntheticRun({ trials: 2, cycles: 2, ...options }))
}

describe("mergeRuns", () => {
  test("leaves one run as it is", async () => {
    const run = await records({})
    const merged = mergeRuns([run])
    expect(merged.cycles).toEqual(run.cycles)
    expect(merged.selections).toEqual(run.selections)
    expect(merged.trials).toEqual([
      { trial: 1, seed: 0, trialOfSeed: 1 },
      { trial: 2, seed: 0, trialOfSeed: 2 },
    ])
  })

  test("counts trials of another seed on", async () => {
    const merged = mergeRuns([await records({ seed: 0 }), await records({ seed: 1 })])
    const trials = merged.cycles.filter((record) => record.strategy === "random" && record.cycle === 1)
    expect(trials.map((record) => record.trial)).toEqual([1, 2, 3, 4])
    expect(merged.trials[2]).toEqual({ trial: 3, seed: 1, trialOfSeed: 1 })
  })

  test("keeps strategies of the same seed and trial paired", async () => {
    const merged = mergeRuns([await records({ strategies: ["random"] }), await records({ strategies: ["entropy"] })])
    const firsts = merged.cycles.filter((record) => record.cycle === 1)
    expect(firsts.map(({ strategy, trial }) => `${strategy} ${trial}`)).toEqual([
      "random 1",
      "random 2",
      "entropy 1",
      "entropy 2",
    ])
  })

  test("refuses the same trial twice", async () => {
    const [one, two] = [await records({}), await records({ strategies: ["random"], trials: 1 })]
    expect(() => mergeRuns([one, two])).toThrow(
      `${two.folder}: expected trials that no other folder of the report holds, got random, seed 0, trial 1, which is in ${one.folder} too.`,
    )
  })

  test("refuses other settings and says which differ", async () => {
    const one = await records({})
    const two = await records({ seed: 1, cycles: 3, config: { model: { name: "cnn4", width: 8 } } })
    expect(() => mergeRuns([one, two])).toThrow(
      `${two.folder}: expected the settings of ${one.folder} (model.width 16, budget.cycles 2), got model.width 8, budget.cycles 3.`,
    )
  })

  test("lets name, threads, trials and the data's path differ", async () => {
    const other = { name: "again", data: "fashion-mnist:/elsewhere", engine: { threads: 7 } }
    const merged = mergeRuns([await records({}), await records({ seed: 1, trials: 1, config: other })])
    expect(merged.trials).toHaveLength(3)
  })
})
