import { type CycleRecord, mainValue } from "@learnloss/contract"
import { formatPercent } from "../report/format.ts"
import { measureOf } from "../report/summary.ts"

interface Column {
  /** Null is the main measure of the run's task. */
  readonly head: string | null
  readonly width: number
  readonly cell: (record: CycleRecord) => string
}

const legend = "ranking: pairs of test images ordered rightly by loss, module / plain confidence"

/** Together at most 80 characters wide. */
const columns: readonly Column[] = [
  { head: "strategy", width: -21, cell: ({ strategy }) => strategy },
  { head: "trial", width: 5, cell: ({ trial }) => String(trial) },
  { head: "cycle", width: 5, cell: ({ cycle }) => String(cycle) },
  { head: "labels", width: 6, cell: ({ labels }) => String(labels) },
  { head: null, width: 8, cell: ({ metrics }) => formatPercent(mainValue(metrics)) },
  {
    head: "ranking",
    width: 13,
    cell: (record) =>
      `${optionalPercent(record.rankingAccuracy)} / ${optionalPercent(record.confidenceRankingAccuracy)}`,
  },
  { head: "lift", width: 4, cell: ({ lift }) => (lift === null ? "-" : lift.toFixed(2)) },
  { head: "seconds", width: 7, cell: (record) => cycleSeconds(record).toFixed(1) },
]

/** Head of the table that has one row a cycle such as this, with a line above it that says what its words mean. */
export function cycleRowHead(record: CycleRecord): string {
  const { title } = measureOf([record])
  return `${legend}\n${columns.map(({ head, width }) => pad(head ?? title, width)).join(" ")}`
}

/** One row of that table; ranking accuracy and lift are those of the loss module. */
export function cycleRow(record: CycleRecord): string {
  return columns.map(({ cell, width }) => pad(cell(record), width)).join(" ")
}

function cycleSeconds({ trainSeconds, evaluateSeconds, selectSeconds }: CycleRecord): number {
  return trainSeconds + evaluateSeconds + (selectSeconds ?? 0)
}

function optionalPercent(share: number | null): string {
  return share === null ? "-" : formatPercent(share)
}

/** A negative width aligns to the left. */
function pad(text: string, width: number): string {
  return width < 0 ? text.padEnd(-width) : text.padStart(width)
}
