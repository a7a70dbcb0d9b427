import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { LearnlossError } from "@learnloss/engine"
import { beforeEach, describe, expect, test } from "vitest"
import { readRunRecords } from "./read-run.ts"
import { writeSyntheticRun } from "./synthetic-run.test-suite.ts"

let folder: string

beforeEach(async () => {
  folder = await writeSyntheticRun({ trials: 1, cycles: 2 })
})

function failure(): LearnlossError {
  try {
    readRunRecords(folder)
  } catch (error) {
    if (error instanceof LearnlossError) return error
    throw error
  }
  throw new Error("nothing was thrown")
}

describe("readRunRecords", () => {
  test("reads everything that a run wrote", () => {
    mkdirSync(join(folder, "picked"))
    for (const name of ["random-trial1-cycle10", "random-trial1-cycle2", "unknown-trial1-cycle1", "learning-loss"]) {
      writeFileSync(join(folder, "picked", `${name}.png`), "")
    }
    const run = readRunRecords(folder)
    expect(run.config.name).toBe("synthetic")
    expect([run.cycles.length, run.selections.length, run.predictions.length]).toEqual([4, 4, 4])
    expect(run.pictures.map(({ strategy, cycle }) => `${strategy} ${cycle}`)).toEqual(["random 2", "random 10"])
  })

  test("does without predictions and pictures", () => {
    rmSync(join(folder, "predictions.jsonl"))
    expect(readRunRecords(folder)).toMatchObject({ predictions: [], pictures: [] })
  })

  test("names the line that is no JSON", () => {
    appendFileSync(join(folder, "cycles.jsonl"), '{"strategy": "ran')
    expect(failure()).toMatchObject({ code: "RUN_FILE_INVALID" })
    expect(failure().message).toContain(`${join(folder, "cycles.jsonl")} line 5: expected JSON, got `)
  })

  test("names the field that does not fit", () => {
    const path = join(folder, "cycles.jsonl")
    writeFileSync(path, readFileSync(path, "utf8").replace('"labels":500', '"labels":-1'))
    expect(failure().message).toMatch(/cycles\.jsonl line 1: expected a record .*, got labels: /)
  })

  test("refuses a cycle that stands twice", () => {
    const path = join(folder, "cycles.jsonl")
    appendFileSync(path, `\n${readFileSync(path, "utf8").split("\n")[0]}\n`)
    expect(failure().message).toContain(
      "line 6: expected one line for random, trial 1, cycle 1, got it again after line 1",
    )
  })

  test("says how to go on when no cycle is finished", () => {
    rmSync(join(folder, "cycles.jsonl"))
    expect(failure()).toMatchObject({ code: "RUN_WITHOUT_CYCLES" })
    expect(failure().message).toContain(`learnloss resume ${folder}`)
  })

  test("says what a run's folder is when there is none", () => {
    folder = mkdtempSync(join(tmpdir(), "learnloss-"))
    expect(failure()).toMatchObject({ code: "RUN_FILE_MISSING" })
    expect(failure().message).toContain("the one that holds config.json")
  })

  test("refuses settings that this version does not know", () => {
    const path = join(folder, "config.json")
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), speed: 11 }))
    expect(failure().message).toMatch(/config\.json: expected .*speed/)
  })
})
