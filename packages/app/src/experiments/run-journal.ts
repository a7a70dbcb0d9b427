import { readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import {
  type CycleRecord,
  cycleRecordSchema,
  type PredictionsRecord,
  predictionsRecordSchema,
  type RunConfig,
  type SelectionRecord,
  type StrategyName,
  selectionRecordSchema,
} from "@learnloss/contract"
import { type FileOperations, InternalError, LearnlossError } from "@learnloss/engine"
import { leaderOf, type Place, type SharedCycle, type TrialRecorder } from "@learnloss/learn"
import type { PictureQueue } from "./picked-pictures.ts"
import { openRecordFile, type RecordFile } from "./record-file.ts"
import { runFiles } from "./run-files.ts"

export interface JournalOptions {
  readonly folder: string
  /** Decides which strategies share their first cycle. */
  readonly config: Pick<RunConfig, "strategies" | "lossModule">
  readonly pictures: Pick<PictureQueue, "add" | "addFound">
  readonly operations?: FileOperations
}

/** The record files of a run, opened for going on. */
export interface RunJournal {
  /** Records of all finished cycles, in the order in which they were written. */
  readonly cycles: readonly CycleRecord[]
  readonly selections: readonly SelectionRecord[]
  readonly predictions: readonly PredictionsRecord[]
  recorderFor(strategy: StrategyName, trial: number): TrialRecorder
  /** Puts the records in the order in which jobs write that run one after the other, whatever ran at once. */
  arrange(): void
}

/**
 * Opens the record files of a run and drops what a killed process left of a cycle that it did not finish.
 *
 * A cycle is finished when its line stands in `cycles.jsonl`, which is why that line is written after all other lines.
 *
 * @throws LearnlossError `RUN_FILE_INVALID` when a file cannot be read or lacks what belongs to a finished cycle.
 */
export function openRunJournal({ folder, config, pictures, operations }: JournalOptions): RunJournal {
  const cycles = openRecordFile<CycleRecord>(join(folder, runFiles.cycles), cycleRecordSchema, operations)
  const selections = openRecordFile(join(folder, runFiles.selections), selectionRecordSchema, operations)
  const predictions = openRecordFile(join(folder, runFiles.predictions), predictionsRecordSchema, operations)

  const finished = countFinished(cycles)
  selections.keep((record) => record.cycle <= (finished.get(keyOf(record)) ?? 0))
  predictions.keep((record) => record.cycle <= (finished.get(keyOf(record)) ?? 0))
  for (const [key, count] of finished) {
    // The last cycle of a trial selects nothing, so the selection after the newest cycle may be missing.
    requireCycles(selections, key, 0, count - 1)
    requireCycles(predictions, key, 1, count)
  }
  removeTornFiles(folder)
  removeTornFiles(join(folder, runFiles.picked))
  removeTornFiles(join(folder, runFiles.found))

  const checkpointsOf = (strategy: StrategyName, trial: number) =>
    join(folder, runFiles.checkpoints, `${strategy}-trial${trial}`)

  /** The first cycle of the strategy that trains it for this one, once it is on record. */
  function sharedCycle(strategy: StrategyName, trial: number): SharedCycle | undefined {
    const leader = leaderOf(strategy, config)
    if (leader === strategy) return undefined
    const isIt = (each: Key & { cycle: number }) => each.strategy === leader && each.trial === trial && each.cycle === 1
    const [record, predicted] = [cycles.records.find(isIt), predictions.records.find(isIt)]
    return record === undefined || predicted === undefined ? undefined : { record, predictions: predicted }
  }

  const strategies: readonly StrategyName[] = config.strategies
  const inOrder = (a: Place, b: Place): number =>
    a.trial - b.trial || strategies.indexOf(a.strategy) - strategies.indexOf(b.strategy) || a.cycle - b.cycle

  return {
    arrange() {
      for (const file of [selections, predictions, cycles]) file.sort(inOrder)
    },
    get cycles() {
      return cycles.records
    },
    get selections() {
      return selections.records
    },
    get predictions() {
      return predictions.records
    },
    recorderFor(strategy, trial) {
      const ofThis = (record: Key): boolean => record.strategy === strategy && record.trial === trial
      const earlier = { cycles: cycles.records.filter(ofThis), selections: selections.records.filter(ofThis) }
      return {
        finished: earlier,
        checkpointFolder: checkpointsOf(strategy, trial),
        shared: sharedCycle(strategy, trial),
        followers: config.strategies
          .filter((other) => other !== strategy && leaderOf(other, config) === strategy)
          .map((other) => checkpointsOf(other, trial)),
        recordInitial(selection) {
          const known = selections.records.find((record) => ofThis(record) && record.cycle === 0)
          if (known === undefined) selections.append(selection)
          else requireSame(known, selection)
        },
        recordCycle({ record, selection, predictions: predicted, picked }) {
          if (selection !== null) selections.append(selection)
          predictions.append(predicted)
          cycles.append(record)
          // Last, since a picture that a kill prevents can be drawn again from the selection.
          if (picked.length > 0) pictures.add(record, picked)
          pictures.addFound(predicted)
        },
      }
    },
  }
}

type Key = Pick<CycleRecord, "strategy" | "trial">

function keyOf({ strategy, trial }: Key): string {
  return `${strategy}, trial ${trial}`
}

/** Finished cycles of each strategy and trial; they must count up from 1. */
function countFinished(cycles: RecordFile<CycleRecord>): Map<string, number> {
  const finished = new Map<string, number>()
  for (const [index, record] of cycles.records.entries()) {
    const next = (finished.get(keyOf(record)) ?? 0) + 1
    if (record.cycle !== next) {
      throw inconsistent(
        `${cycles.path} line ${index + 1}`,
        `cycle ${next} of ${keyOf(record)}`,
        `cycle ${record.cycle}`,
      )
    }
    finished.set(keyOf(record), next)
  }
  return finished
}

function requireCycles(file: RecordFile<Key & { cycle: number }>, key: string, first: number, last: number): void {
  const present = file.records.filter((record) => keyOf(record) === key).map((record) => record.cycle)
  for (let cycle = first; cycle <= last; cycle++) {
    const index = cycle - first
    if (present[index] !== cycle) {
      throw inconsistent(
        file.path,
        `a line for cycle ${cycle} of ${key}, which ${runFiles.cycles} has`,
        "none in its place",
      )
    }
  }
}

function requireSame(known: SelectionRecord, given: SelectionRecord): void {
  if (JSON.stringify(known.ids) === JSON.stringify(given.ids)) return
  throw new InternalError(`the initial set of ${keyOf(given)} differs from the one on record`)
}

function inconsistent(where: string, expected: string, got: string): LearnlossError {
  const fix = "Restore the run's files from a copy, or start the run anew in another folder."
  return new LearnlossError("RUN_FILE_INVALID", { where, expected, got, fix })
}

/** Removes what a kill in the middle of an atomic write leaves beside the file. */
function removeTornFiles(folder: string): void {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    return
  }
  for (const name of names) if (/\.partial-\d+$/.test(name)) rmSync(join(folder, name), { force: true })
}
