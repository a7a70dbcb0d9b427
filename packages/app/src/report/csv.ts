import type { CycleRecord } from "@learnloss/contract"
import type { MergedRuns } from "./merge-runs.ts"

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

/**
 * One row for each strategy, trial and cycle with every scalar field, as RFC 4180 has it (CRLF, quotes doubled).
 * `seed` and `trialOfSeed` tell where a trial comes from when several runs were merged; null is an empty field.
 */
export function resultsCsv({ cycles, trials }: Pick<MergedRuns, "cycles" | "trials">): string {
  const metrics = metricNames(cycles)
  const rows = cycles.map((record): Scalar[] => {
    const origin = trials.find((each) => each.trial === record.trial)
    return [
      ...leading.map((field) => record[field]),
      ...metrics.map((name) => scalar(record.metrics[name])),
      ...trailing.map((field) => record[field] ?? null),
      origin?.seed ?? null,
      origin?.trialOfSeed ?? null,
    ]
  })
  const head = [...leading, ...metrics, ...trailing, "seed", "trialOfSeed"]
  return [head, ...rows].map((row) => `${row.map(quote).join(",")}\r\n`).join("")
}

function metricNames(cycles: readonly CycleRecord[]): string[] {
  const names = new Set(["accuracy"])
  for (const { metrics } of cycles) {
    for (const [name, value] of Object.entries(metrics)) if (scalar(value) !== null) names.add(name)
  }
  return [...names]
}

function scalar(value: unknown): Scalar {
  return typeof value === "number" || typeof value === "string" || typeof value === "boolean" ? value : null
}

function quote(value: Scalar): string {
  const text = value === null ? "" : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
