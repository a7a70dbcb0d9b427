import type { CycleRecord, PredictionsRecord, RunConfig, SelectionRecord } from "@learnloss/contract"
import { InternalError, LearnlossError } from "@learnloss/engine"
import type { CyclePicture, RunRecords } from "./read-run.ts"

/** Where a trial of a report comes from: the same seed and number mean the same initial set and so a pair. */
export interface TrialOrigin {
  readonly trial: number
  readonly seed: number
  readonly trialOfSeed: number
}

/** The records of one or several runs with the same settings, trials counted through. */
export interface MergedRuns {
  readonly runs: readonly { readonly folder: string; readonly config: RunConfig }[]
  readonly trials: readonly TrialOrigin[]
  readonly cycles: readonly CycleRecord[]
  readonly selections: readonly SelectionRecord[]
  readonly predictions: readonly PredictionsRecord[]
  readonly pictures: readonly CyclePicture[]
  readonly foundPictures: readonly CyclePicture[]
  /** Names of the classes by their index; null when no run kept them. */
  readonly classNames: readonly string[] | null
}

/**
 * Puts runs together as if they were one: the same strategy of several folders becomes more trials.
 *
 * Trials of the same seed and number share their initial set, so they keep one common number and stay paired.
 *
 * @throws LearnlossError `RUNS_DIFFER` when a setting that results depend on differs, `RUN_TRIAL_TWICE` when two folders
 * hold the same strategy, seed and trial, which would count one result as two.
 */
export function mergeRuns(runs: readonly RunRecords[]): MergedRuns {
  const [first, ...others] = runs
  if (first === undefined) throw new InternalError("no run to merge")
  for (const other of others) refuseDifference(first, other)

  const origins = new Map<string, TrialOrigin>()
  const folderOf = new Map<string, string>()
  for (const { folder, config, cycles } of runs) {
    for (const trial of [...new Set(cycles.map((record) => record.trial))].sort((a, b) => a - b)) {
      const key = `${config.seed}/${trial}`
      if (!origins.has(key)) origins.set(key, { trial: origins.size + 1, seed: config.seed, trialOfSeed: trial })
    }
    for (const key of new Set(
      cycles.map((record) => `${record.strategy}, seed ${config.seed}, trial ${record.trial}`),
    )) {
      const earlier = folderOf.get(key)
      if (earlier !== undefined) throw twice(key, earlier, folder)
      folderOf.set(key, folder)
    }
  }

  /** Only trials with a finished cycle have a number; the rest has nothing to report yet. */
  function renumber<T extends { readonly trial: number }>(pick: (run: RunRecords) => readonly T[]): T[] {
    return runs.flatMap((run) =>
      pick(run).flatMap((record) => {
        const origin = origins.get(`${run.config.seed}/${record.trial}`)
        return origin === undefined ? [] : [{ ...record, trial: origin.trial }]
      }),
    )
  }
  return {
    runs: runs.map(({ folder, config }) => ({ folder, config })),
    trials: [...origins.values()],
    cycles: renumber((run) => run.cycles),
    selections: renumber((run) => run.selections),
    predictions: renumber((run) => run.predictions),
    pictures: renumber((run) => run.pictures),
    foundPictures: renumber((run) => run.foundPictures),
    classNames: runs.find((run) => run.classNames !== null)?.classNames ?? null,
  }
}

/** Settings that may differ between runs of one report: what is repeated, and what changes no result. */
const freeSettings = /^(name|description|strategies|trials|seed|engine|training\.checkpointSeconds)(\.|$)/

function refuseDifference(first: RunRecords, other: RunRecords): void {
  const one = comparedSettings(first.config)
  const two = comparedSettings(other.config)
  const differing = [...new Set([...one.keys(), ...two.keys()])].filter((key) => one.get(key) !== two.get(key))
  if (differing.length === 0) return
  const values = (settings: Map<string, string>): string =>
    differing.map((key) => `${key} ${settings.get(key) ?? "not set"}`).join(", ")
  throw new LearnlossError("RUNS_DIFFER", {
    where: other.folder,
    expected: `the settings of ${first.folder} (${values(one)})`,
    got: values(two),
    fix: "Make one report of each; together go only runs that differ in strategies, trials and seed.",
  })
}

function comparedSettings(config: RunConfig): Map<string, string> {
  const settings = new Map<string, string>()
  // Paths depend on the machine, so they may differ; a network's file is told by its digest.
  const { onnx: _, ...model } = config.model
  flatten({ ...config, data: config.data.split(":")[0], model }, "", settings)
  for (const key of settings.keys()) if (freeSettings.test(key)) settings.delete(key)
  return settings
}

function flatten(value: unknown, path: string, into: Map<string, string>): void {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    into.set(path, JSON.stringify(value))
    return
  }
  for (const [key, part] of Object.entries(value)) flatten(part, path === "" ? key : `${path}.${key}`, into)
}

function twice(key: string, earlier: string, folder: string): LearnlossError {
  return new LearnlossError("RUN_TRIAL_TWICE", {
    where: folder,
    expected: "trials that no other folder of the report holds",
    got: `${key}, which is in ${earlier} too`,
    fix: "The same seed repeats the same trial and tells nothing new: run with another --seed, or leave one folder out.",
  })
}
