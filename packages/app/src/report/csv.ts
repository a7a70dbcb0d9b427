import type { CycleRecord } from "@learnloss/contract"
import type { MergedRuns } from "./merge-runs.ts"
import { measureOf } from "./summary.ts"

type Scalar = string | number | boolean | null

/** Fields of a cycle record, in the order of the columns; the scalar metrics come after `labels`. */
const leading = ["strategy", "trial", "cycle", "labels"] as const satisfies readonly (keyof CycleRecord)[]
const trailing = [
  "lossModule",
  "rankingAccuracy",
  "confidenceRankingAccuracy",
  "lift",
  "confidenceLift",
  "trainLoss",
  "testLoss",
  "trainSeconds",
  "dataWaitSeconds",
  "evaluateSeconds",
  "selectSeconds",
  "sharedWith",
] as const satisfies readonly (keyof CycleRecord)[]

/** Columns that stand there only if some cycle has a value. */
const occasional = {
  labeledObjects: (record) => record.labeledObjects,
  int8RankCorrelation: ({ int8 }) => int8?.rankCorrelation,
  int8TopShare: ({ int8 }) => int8?.topShare,
  int8MsPerImage: (record) => record.int8MsPerImage,
  float32MsPerImage: (record) => record.float32MsPerImage,
  int8ExtraSeconds: (record) => record.int8ExtraSeconds,
} as const satisfies Record<string, (record: CycleRecord) => Scalar | undefined>

/**
 * One row for each strategy, trial and cycle with every scalar field, as RFC 4180 has it (CRLF, quotes doubled).
 * `seed` and `trialOfSeed` tell where a trial comes from when several runs were merged; null is an empty field.
 */
export function resultsCsv({ cycles, trials }: Pick<MergedRuns, "cycles" | "trials">): string {
  const metrics = metricNames(cycles)
  const optional = Object.entries(occasional).filter(([, read]) => cycles.some((record) => read(record) !== undefined))
  const rows = cycles.map((record): Scalar[] => {
    const origin = trials.find((each) => each.trial === record.trial)
    return [
      ...leading.map((field) => record[field]),
      ...metrics.map((name) => scalars(record.metrics).get(name) ?? null),
      ...trailing.map((field) => record[field] ?? null),
      ...optional.map(([, read]) => read(record) ?? null),
      origin?.seed ?? null,
      origin?.trialOfSeed ?? null,
    ]
  })
  const head = [...leading, ...metrics, ...trailing, ...optional.map(([name]) => name), "seed", "trialOfSeed"]
  return [head, ...rows].map((row) => `${row.map(quote).join(",")}\r\n`).join("")
}

function metricNames(cycles: readonly CycleRecord[]): string[] {
  const names = new Set([measureOf(cycles).name])
  for (const { metrics } of cycles) for (const name of scalars(metrics).keys()) names.add(name)
  return [...names]
}

/** Single values by name; those of a group, such as `coco`, as `coco.mAP`. */
function scalars(metrics: object, prefix = ""): Map<string, Scalar> {
  const found = Object.entries(metrics).flatMap(([name, value]): [string, Scalar][] => {
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return [...scalars(value, `${prefix}${name}.`)]
    const single = scalar(value)
    return single === null ? [] : [[prefix + name, single]]
  })
  return new Map(found)
}

function scalar(value: unknown): Scalar {
  return typeof value === "number" || typeof value === "string" || typeof value === "boolean" ? value : null
}

function quote(value: Scalar): string {
  const text = value === null ? "" : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
