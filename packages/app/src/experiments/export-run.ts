import { existsSync, readdirSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { type StrategyName, strategyNames } from "@learnloss/contract"
import { atomicWrite, LearnlossError, loadCheckpoint } from "@learnloss/engine"
import { exportTrained } from "@learnloss/learn"
import { readNetworkData } from "./network-data.ts"
import { runFiles } from "./run-files.ts"
import { isResumable, readRunConfig } from "./run-folder.ts"

export interface ExportOptions {
  /** Folder of a run, or of one checkpoint in it. */
  readonly from: string
  /** File to write. */
  readonly out: string
  readonly strategy?: string
  readonly trial?: number
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

interface Place {
  readonly folder: string
  readonly strategy: StrategyName
  readonly trial: number
}

/**
 * Writes the network that a run trained, with its loss module, as an ONNX file.
 *
 * @throws LearnlossError `RUN_NOT_FOUND`, `CHECKPOINT_MISSING`, `CHECKPOINT_AMBIGUOUS` naming what there is, and what
 * reading checkpoints and opening networks throw
 */
export async function exportRun(options: ExportOptions): Promise<Exported> {
  const { run, place } = locate(options)
  const config = readRunConfig(run)
  const data = readNetworkData(run)
  const checkpoint = loadCheckpoint<Pick<Exported, "cycle" | "step" | "steps">>(place.folder)
  if (checkpoint === undefined) throw missing(place.folder, "a checkpoint", "none yet")
  const weights = checkpoint.state.parameters
  const { strategy, trial } = place
  const model = await exportTrained({ config, strategy, weights, data, where: place.folder })
  atomicWrite(options.out, model)
  const { cycle, step, steps } = checkpoint.meta
  return { out: options.out, strategy, trial, cycle, step, steps }
}

function locate(options: ExportOptions): { run: string; place: Place } {
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
  if (place !== undefined && fitting.length === 1) return { run: from, place }
  // Says what is wrong with the folder itself first.
  readRunConfig(from)
  const known = all.map(({ strategy, trial }) => `${strategy} trial ${trial}`).join(", ")
  if (place === undefined) throw missing(from, `a checkpoint of ${wanted(options)}`, known || "none")
  throw new LearnlossError("CHECKPOINT_AMBIGUOUS", {
    where: from,
    expected: "one checkpoint",
    got: known,
    fix: "Choose with --strategy and --trial.",
  })
}

function wanted({ strategy, trial }: ExportOptions): string {
  return [strategy ?? "any strategy", ...(trial === undefined ? [] : [`trial ${trial}`])].join(", ")
}

function placeOf(folder: string): Place | undefined {
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
