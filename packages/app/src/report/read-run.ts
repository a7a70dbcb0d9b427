import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import {
  type CycleRecord,
  cycleRecordSchema,
  networkDataSchema,
  type PredictionsRecord,
  predictionsRecordSchema,
  type RunConfig,
  runConfigSchema,
  type SelectionRecord,
  type StrategyName,
  selectionRecordSchema,
  strategyNames,
} from "@learnloss/contract"
import { LearnlossError } from "@learnloss/engine"
import { runFiles } from "../experiments/run-files.ts"

/** A picture of what a cycle picked or found. */
export interface CyclePicture {
  readonly strategy: StrategyName
  readonly trial: number
  readonly cycle: number
  readonly path: string
}

/** What a run's folder says, checked. */
export interface RunRecords {
  readonly folder: string
  readonly config: RunConfig
  readonly cycles: readonly CycleRecord[]
  readonly selections: readonly SelectionRecord[]
  /** Empty when the run kept none. */
  readonly predictions: readonly PredictionsRecord[]
  /** Contact sheets of picked images, ordered by strategy, trial and cycle; empty when the run kept none. */
  readonly pictures: readonly CyclePicture[]
  /** What detectors found in test images after their last cycle, in the same order. */
  readonly foundPictures: readonly CyclePicture[]
  /** Names of the classes by their index; null when the run kept none. */
  readonly classNames: readonly string[] | null
}

/** The part of a zod schema that reading needs. */
interface Schema<T> {
  safeParse(
    value: unknown,
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } }
}

interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/**
 * Reads what a run left in its folder.
 *
 * @throws LearnlossError `RUN_FILE_MISSING` when the folder holds no run, `RUN_FILE_INVALID` when a line cannot be read
 * or stands twice, `RUN_WITHOUT_CYCLES` when no cycle is finished.
 */
export function readRunRecords(folder: string): RunRecords {
  const configPath = join(folder, runFiles.config)
  const config = parse(runConfigSchema, read(configPath), configPath)
  const cyclesPath = join(folder, runFiles.cycles)
  const cycles = existsSync(cyclesPath) ? readLines(cyclesPath, cycleRecordSchema) : []
  if (cycles.length === 0) {
    throw new LearnlossError("RUN_WITHOUT_CYCLES", {
      where: cyclesPath,
      expected: "at least one finished cycle",
      got: "none",
      fix: `Go on with \`learnloss resume ${folder}\` and ask for the report when a cycle is done.`,
    })
  }
  const networkPath = join(folder, runFiles.network)
  const predictionsPath = join(folder, runFiles.predictions)
  return {
    folder,
    config,
    cycles,
    selections: readLines(join(folder, runFiles.selections), selectionRecordSchema),
    predictions: existsSync(predictionsPath) ? readLines(predictionsPath, predictionsRecordSchema) : [],
    pictures: listPictures(join(folder, runFiles.picked)),
    foundPictures: listPictures(join(folder, runFiles.found)),
    classNames: existsSync(networkPath) ? parse(networkDataSchema, read(networkPath), networkPath).classNames : null,
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch (error) {
    throw new LearnlossError("RUN_FILE_MISSING", {
      where: path,
      expected: "a file that `learnloss run` wrote",
      got: error instanceof Error ? error.message : String(error),
      fix: "Name the folder of a run, the one that holds config.json.",
      cause: error,
    })
  }
}

function readLines<T extends Pick<CycleRecord, "strategy" | "trial" | "cycle">>(path: string, schema: Schema<T>): T[] {
  const records: T[] = []
  const lineOf = new Map<string, number>()
  for (const [index, text] of read(path).split("\n").entries()) {
    if (text.trim() === "") continue
    const where = `${path} line ${index + 1}`
    const record = parse(schema, text, where)
    const key = `${record.strategy}, trial ${record.trial}, cycle ${record.cycle}`
    const earlier = lineOf.get(key)
    if (earlier !== undefined) throw invalid(where, `one line for ${key}`, `it again after line ${earlier}`)
    lineOf.set(key, index + 1)
    records.push(record)
  }
  return records
}

function parse<T>(schema: Schema<T>, text: string, where: string): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalid(where, "JSON", error instanceof Error ? error.message : String(error), error)
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => `${issue.path.join(".") || "the whole"}: ${issue.message}`)
  throw invalid(where, "a record as this version of learnloss writes it", problems.join("; "))
}

function invalid(where: string, expected: string, got: string, cause?: unknown): LearnlossError {
  const fix = "Restore the file, or take the line out if you edited it."
  return new LearnlossError("RUN_FILE_INVALID", { where, expected, got, fix, cause })
}

const pictureName = /^(.+)-trial(\d+)-cycle(\d+)\.png$/

function listPictures(folder: string): CyclePicture[] {
  if (!existsSync(folder)) return []
  const pictures = readdirSync(folder).flatMap((file): CyclePicture[] => {
    const [, name, trial, cycle] = pictureName.exec(file) ?? []
    const strategy = strategyNames.find((known) => known === name)
    return strategy === undefined
      ? []
      : [{ strategy, trial: Number(trial), cycle: Number(cycle), path: join(folder, file) }]
  })
  return pictures.sort(
    (a, b) =>
      strategyNames.indexOf(a.strategy) - strategyNames.indexOf(b.strategy) || a.trial - b.trial || a.cycle - b.cycle,
  )
}
