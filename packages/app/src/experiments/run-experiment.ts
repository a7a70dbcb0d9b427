import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { CycleRecord, DeviceName, PredictionsRecord, RunConfig, SelectionRecord } from "@learnloss/contract"
import { cycleRecordSchema, predictionsRecordSchema, selectionRecordSchema } from "@learnloss/contract"
import { atomicWrite, InternalError, LearnlossError } from "@learnloss/engine"
import type { LoopEvent } from "@learnloss/learn"
import type { WrittenReport } from "../report/write-report.ts"
import { throwIfInterrupted } from "./interruption.ts"
import { deepFreeze } from "./load-config.ts"
import { keepNetworkData } from "./network-data.ts"
import type { ExperimentParts } from "./parts.ts"
import { addMissingFound, addMissingPictures, createPictureQueue, hasAllPictures } from "./picked-pictures.ts"
import { planRun } from "./plan.ts"
import { openRecordFile } from "./record-file.ts"
import { describeReport, hasFreshReport } from "./report-state.ts"
import { fallbackNotice, openKnownData, openRunData, type RunData } from "./run-data.ts"
import { runFiles } from "./run-files.ts"
import { createRunFolder, readRunConfig, requireFreeFolder } from "./run-folder.ts"
import { runJobs } from "./run-jobs.ts"
import { openRunJournal, type RunJournal } from "./run-journal.ts"
import { lockRun } from "./run-lock.ts"

/** Who watches an experiment; opened when it is known how much is left to do. */
export interface Watcher {
  say(line: string): void
  show(event: LoopEvent): void
  close(): void
}

export interface ExperimentOptions {
  readonly folder: string
  readonly parts: ExperimentParts
  readonly signal: AbortSignal
  /** Says something before there is anything to watch. */
  readonly say: (line: string) => void
  /** Told how many of the products that have to be measured were. */
  readonly onMeasure?: (done: number, total: number) => void
  /** Says what belongs to the results too, before they are there. */
  readonly announce: (line: string) => void
  readonly watch: (config: RunConfig, stepsBefore: number) => Watcher
}

/** What an experiment came to. */
export interface Outcome {
  readonly folder: string
  readonly config: RunConfig
  readonly written: WrittenReport
}

/**
 * Runs an experiment from the start: every strategy in every trial, then the report.
 *
 * Nothing is written before settings, folder and data have been found good.
 *
 * @throws LearnlossError `INTERRUPTED` when the signal was given; the folder can then be resumed.
 */
export async function startRun(given: RunConfig, options: ExperimentOptions): Promise<Outcome> {
  const { folder, parts, signal } = options
  requireFreeFolder(folder)
  await parts.requireDevice(given.engine.device)
  const data = await openRunData(given, options)
  const onMeasure = (done: number, total: number) => {
    throwIfInterrupted(signal, folder)
    options.onMeasure?.(done, total)
  }
  const config = deepFreeze(await parts.resolveRun(data.config, firstPool(data), options.say, { onMeasure }))
  throwIfInterrupted(signal, folder)
  const unlock = createRunFolder(folder, config)
  try {
    return await finishRun({ ...data, config }, options)
  } finally {
    unlock()
  }
}

/**
 * Goes on with a run that was interrupted or killed; a finished one only gets the report that it may lack.
 *
 * @param device where it is thought to go on; left out it is the one that the run was started on
 * @throws LearnlossError `INTERRUPTED` as `startRun`, `RUN_ON_ANOTHER_DEVICE`, and what opening the run's files throws.
 */
export async function resumeRun(options: ExperimentOptions, device?: DeviceName): Promise<Outcome> {
  const { folder, parts } = options
  const config = readRunConfig(folder)
  requireSameDevice(config, device, folder)
  const { records } = openRecordFile<CycleRecord>(join(folder, runFiles.cycles), cycleRecordSchema)
  const { records: selections } = openRecordFile<SelectionRecord>(
    join(folder, runFiles.selections),
    selectionRecordSchema,
  )
  const { records: predictions } = openRecordFile<PredictionsRecord>(
    join(folder, runFiles.predictions),
    predictionsRecordSchema,
  )
  const lacksNothing =
    isFinished(config, records) && hasAllPictures(folder, selections, predictions, config.budget.cycles)
  if (lacksNothing && hasFreshReport(folder)) return { folder, config, written: describeReport(folder, records) }
  const unlock = lockRun(folder)
  try {
    if (lacksNothing) {
      openRunJournal({ folder, config, pictures: { add() {}, addFound() {} } }).arrange()
      return { folder, config, written: await parts.writeReport([folder]) }
    }
    const notice = fallbackNotice(config)
    if (notice !== null) options.announce(notice)
    await parts.requireDevice(config.engine.device)
    return await finishRun(await openKnownData(config, options), options)
  } finally {
    unlock()
  }
}

/** Devices round in their own ways, so a run that changed over would end with results that no single one gives. */
function requireSameDevice({ engine }: RunConfig, device: DeviceName | undefined, folder: string): void {
  if (device === undefined || device === engine.device) return
  throw new LearnlossError("RUN_ON_ANOTHER_DEVICE", {
    where: `${folder}, --device`,
    expected: `${engine.device}, which the run was started on`,
    got: device,
    fix: "Leave --device out, or start a new run.",
  })
}

/** True when the settings of a run ask for nothing that is not on record. */
export function isFinished(config: RunConfig, cycles: readonly CycleRecord[]): boolean {
  return cycles.length >= planRun(config).trainings
}

async function finishRun({ config, pools }: RunData, options: ExperimentOptions): Promise<Outcome> {
  const { folder, parts, signal } = options
  keepPools(folder, pools)
  const firstImages = firstPool({ pools })
  keepNetworkData(folder, firstImages)
  const { drawPicked: draw, drawFound } = parts
  const pictures = createPictureQueue({ folder, pools, draw, drawFound, cycles: config.budget.cycles })
  const journal = openRunJournal({ folder, config, pictures })
  for (const [index, pool] of pools.entries()) {
    const selections = journal.selections.filter(({ trial }) => trial === index + 1)
    addMissingPictures(pictures, folder, selections, pool)
  }
  addMissingFound(pictures, folder, journal.predictions)
  const watcher = options.watch(config, stepsOf(config, journal.cycles))
  try {
    await runJobs({ config, pools, folder, journal, runTrial: parts.runTrial, show: watcher.show, signal })
  } catch (error) {
    // What ended the trials matters more than a picture that failed, and a resume draws that again.
    await pictures.settled().catch(() => {})
    throw error
  } finally {
    watcher.close()
  }
  await pictures.settled()
  requireFinished(config, journal)
  journal.arrange()
  return { folder, config, written: await parts.writeReport([folder]) }
}

/**
 * Writes down which images take part, or makes sure that they are still those of the run's start.
 *
 * @throws LearnlossError `RUN_DATA_CHANGED` naming the first difference
 */
function keepPools(folder: string, pools: RunData["pools"]): void {
  const path = join(folder, runFiles.pools)
  const lines = pools.map(({ train, test }, index) =>
    JSON.stringify({ trial: index + 1, train: train.ids, test: test.ids }),
  )
  if (!existsSync(path)) {
    atomicWrite(path, `${lines.join("\n")}\n`)
    return
  }
  const before = readFileSync(path, "utf8").trimEnd().split("\n")
  const changed = lines.findIndex((line, index) => line !== before[index])
  if (changed < 0) return
  throw new LearnlossError("RUN_DATA_CHANGED", {
    where: `${path}, trial ${changed + 1}`,
    expected: "the images that the run was started with",
    got: "other images, or the same in another split",
    fix: "Put the images back as they were, or start a new run with another --out.",
  })
}

function stepsOf(config: RunConfig, cycles: readonly CycleRecord[]): number {
  const plan = planRun(config).cycles
  return cycles.reduce(
    (sum, { cycle, sharedWith }) => sum + (sharedWith === undefined ? (plan[cycle - 1]?.steps ?? 0) : 0),
    0,
  )
}

function firstPool({ pools }: Pick<RunData, "pools">): RunData["pools"][number] {
  const [first] = pools
  if (first === undefined) throw new InternalError("a run without trials")
  return first
}

function requireFinished(config: RunConfig, journal: RunJournal): void {
  if (isFinished(config, journal.cycles)) return
  throw new InternalError(`trials ended after ${journal.cycles.length} of ${planRun(config).trainings} trainings`)
}
