import { existsSync, readdirSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { type StrategyName, strategyNames } from "@learnloss/contract"
import { atomicWrite, LearnlossError, loadCheckpoint } from "@learnloss/engine"
import { exportTrained } from "@learnloss/learn"
import { readNetworkData } from "./network-data.ts"
import { runFiles } from "./run-files.ts"
import { isResumable, readRunConfig } from "./run-folder.ts"

/** Which checkpoint is meant. */
export interface CheckpointQuery {
  /** Folder of a run, or of one checkpoint in it. */
  readonly from: string
  readonly strategy?: string
  readonly trial?: number
}

export interface ExportOptions extends CheckpointQuery {
  /** File to write. */
  readonly out: string
}

export interface Exported {
  readonly out: string
  readonly strategy: StrategyName
  readonly trial: number
  /** The cycle that the weights are of; unfinished where `step` is less than `steps`. */
  readonly cycle: number
  /** Steps of that cycle that were done. */
  readonly step: number
  readonly steps: number
}

/** Where a run keeps what a strategy trained in a trial. */
export interface CheckpointPlace {
  readonly folder: string
  readonly strategy: StrategyName
  readonly trial: number
}

/** Takes one of several checkpoints of a run's folder. */
export type ChooseCheckpoint = (fitting: readonly CheckpointPlace[], run: string) => CheckpointPlace

/** A network that a run trained. */
export interface TrainedInRun extends Omit<Exported, "out"> {
  /** The ONNX model, its loss module and all. */
  readonly model: Uint8Array
}

/**
 * Writes the network that a run trained, with its loss module, as an ONNX file.
 *
 * @throws LearnlossError `RUN_NOT_FOUND`, `CHECKPOINT_MISSING`, `CHECKPOINT_AMBIGUOUS` naming what there is, and what
 * reading checkpoints and opening networks throw
 */
export async function exportRun({ out, ...options }: ExportOptions): Promise<Exported> {
  const { model, ...rest } = await writeTrained(options, refuseSeveral)
  atomicWrite(out, model)
  return { out, ...rest }
}

/**
 * The network that a run trained, as `exportRun` writes it.
 *
 * @param choose takes one of several checkpoints that fit
 * @throws LearnlossError as `exportRun`, and what choosing throws
 */
export async function writeTrained(options: CheckpointQuery, choose: ChooseCheckpoint): Promise<TrainedInRun> {
  const { run, place } = locate(options, choose)
  const config = readRunConfig(run)
  const data = readNetworkData(run)
  const checkpoint = loadCheckpoint<Pick<Exported, "cycle" | "step" | "steps">>(place.folder)
  if (checkpoint === undefined) throw missing(place.folder, "a checkpoint", "none yet")
  const weights = checkpoint.state.parameters
  const { strategy, trial } = place
  const model = await exportTrained({ config, strategy, weights, data, where: place.folder })
  const { cycle, step, steps } = checkpoint.meta
  return { model, strategy, trial, cycle, step, steps }
}

function locate(options: CheckpointQuery, choose: ChooseCheckpoint): { run: string; place: CheckpointPlace } {
  const from = resolve(options.from)
  const own = placeOf(from)
  const outer = dirname(dirname(from))
  if (!isResumable(from) && own !== undefined && isResumable(outer)) return { run: outer, place: own }
  const folder = join(from, runFiles.checkpoints)
  const all = existsSync(folder) ? readdirSync(folder).flatMap((name) => placeOf(join(folder, name)) ?? []) : []
  const fitting = all.filter(
    ({ strategy, trial }) =>
      (options.strategy === undefined || strategy === options.strategy) &&
      (options.trial === undefined || trial === options.trial),
  )
  const [place] = fitting
  if (place !== undefined) return { run: from, place: fitting.length === 1 ? place : choose(fitting, from) }
  // Says what is wrong with the folder itself first.
  readRunConfig(from)
  throw missing(from, `a checkpoint of ${wanted(options)}`, namesOf(all) || "none")
}

const refuseSeveral: ChooseCheckpoint = (fitting, run) => {
  throw new LearnlossError("CHECKPOINT_AMBIGUOUS", {
    where: run,
    expected: "one checkpoint",
    got: namesOf(fitting),
    fix: "Choose with --strategy and --trial.",
  })
}

function namesOf(places: readonly CheckpointPlace[]): string {
  return places.map(({ strategy, trial }) => `${strategy} trial ${trial}`).join(", ")
}

function wanted({ strategy, trial }: CheckpointQuery): string {
  return [strategy ?? "any strategy", ...(trial === undefined ? [] : [`trial ${trial}`])].join(", ")
}

function placeOf(folder: string): CheckpointPlace | undefined {
  const [, name, trial] = /^(.+)-trial(\d+)$/.exec(basename(folder)) ?? []
  const strategy = strategyNames.find((known) => known === name)
  return strategy === undefined ? undefined : { folder, strategy, trial: Number(trial) }
}

function missing(where: string, expected: string, got: string): LearnlossError {
  return new LearnlossError("CHECKPOINT_MISSING", {
    where,
    expected,
    got,
    fix: "Name the folder of a run that has trained, or one of its checkpoints.",
  })
}
