import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type FileOperations, LearnlossError, nodeFileOperations } from "@learnloss/engine"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { createFakeTrial, fakeDataset, recordsOf, writeFakeSettings } from "./fake-parts.test-suite.ts"
import { loadRunConfig } from "./load-config.ts"
import { runFiles } from "./run-files.ts"
import { openRunJournal } from "./run-journal.ts"

let root: string
let folder: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "learnloss-journal-"))
  folder = join(root, "run")
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const settings = () => loadRunConfig(writeFakeSettings(root))

/** Without waiting for the disk, which no test switches off. */
const unsynced: FileOperations = { ...nodeFileOperations, sync() {} }

/** Runs two strategies as an experiment would, on file operations that may fail. */
async function runAll(operations: FileOperations = unsynced): Promise<void> {
  const config = settings()
  const journal = openRunJournal({ folder, config, pictures: { add() {}, addFound() {} }, operations })
  for (const strategy of config.strategies) {
    const recorder = journal.recorderFor(strategy, 1)
    if (recorder.finished.cycles.length === config.budget.cycles) continue
    const signal = new AbortController().signal
    await createFakeTrial()({ config, dataset: fakeDataset(), strategy, trial: 1, recorder, emit: () => {}, signal })
  }
}

/** Operations of a process that is gone after so many calls. */
function dyingAfter(calls: number): FileOperations & { readonly callsMade: () => number } {
  let made = 0
  function counted<Arguments extends unknown[], Result>(operation: (...given: Arguments) => Result) {
    return (...given: Arguments): Result => {
      made++
      if (made > calls) throw new Error("no space left on device")
      return operation(...given)
    }
  }
  return {
    open: counted(nodeFileOperations.open),
    write: counted(nodeFileOperations.write),
    sync: counted(unsynced.sync),
    close: nodeFileOperations.close,
    rename: counted(nodeFileOperations.rename),
    callsMade: () => made,
  }
}

describe("openRunJournal", () => {
  it("goes on after a kill between any two writes, to the same records", async () => {
    const counter = dyingAfter(Number.POSITIVE_INFINITY)
    await runAll(counter)
    const whole = recordsOf(folder)
    for (let calls = 0; calls < counter.callsMade(); calls++) {
      rmSync(folder, { recursive: true })
      await expect(runAll(dyingAfter(calls))).rejects.toMatchObject({ code: "FILE_NOT_WRITTEN" })
      await runAll()
      expect(recordsOf(folder), `killed after ${calls} calls`).toEqual(whole)
    }
  })

  it("goes on with what a full disk left in one process, without a record twice", async () => {
    await expect(runAll(dyingAfter(30))).rejects.toBeInstanceOf(LearnlossError)
    for (const name of [runFiles.cycles, runFiles.selections]) {
      for (const line of readFileSync(join(folder, name), "utf8").trimEnd().split("\n")) JSON.parse(line)
    }
  })

  it("drops what stands beyond the last finished cycle and what a torn write left", async () => {
    await runAll()
    const whole = recordsOf(folder)
    const cycles = readFileSync(join(folder, runFiles.cycles), "utf8").split("\n")
    writeFileSync(join(folder, runFiles.cycles), `${cycles.slice(0, 4).join("\n")}\n`)
    writeFileSync(join(folder, `${runFiles.cycles}.partial-123`), "{")
    const journal = openRunJournal({ folder, config: settings(), pictures: { add() {}, addFound() {} } })
    expect(journal.recorderFor("entropy", 1).finished.selections.map(({ cycle }) => cycle)).toEqual([0, 1])
    expect(readdirSync(folder)).not.toContain(`${runFiles.cycles}.partial-123`)
    await runAll()
    expect(recordsOf(folder)).toEqual(whole)
  })

  it.each([
    ["a line that breaks off", runFiles.cycles, (text: string) => text.slice(0, -3)],
    ["a line that is no JSON", runFiles.selections, (text: string) => text.replace("{", "")],
    ["a record with an unknown key", runFiles.cycles, (text: string) => text.replace("trainLoss", "loss")],
    ["a cycle that is missing", runFiles.cycles, (text: string) => text.split("\n").toSpliced(0, 1).join("\n")],
    ["a selection that is missing", runFiles.selections, (text: string) => text.split("\n").toSpliced(1, 1).join("\n")],
    ["predictions that are missing", runFiles.predictions, () => ""],
  ])("refuses %s, naming the file", async (_, name, damage) => {
    await runAll()
    const file = join(folder, name)
    writeFileSync(file, damage(readFileSync(file, "utf8")))
    const open = () => openRunJournal({ folder, config: settings(), pictures: { add() {}, addFound() {} } })
    expect(open).toThrow(expect.objectContaining({ code: "RUN_FILE_INVALID" }))
    expect(open).toThrow(file)
  })

  it("refuses to write a number that JSON would lose", async () => {
    const journal = openRunJournal({ folder, config: settings(), pictures: { add() {}, addFound() {} } })
    const recorder = journal.recorderFor("entropy", 1)
    const selection = { strategy: "entropy" as const, trial: 1, cycle: 0, ids: ["a"], scores: [Number.NaN] }
    expect(() => recorder.recordInitial(selection)).toThrow("does not fit")
  })
})
