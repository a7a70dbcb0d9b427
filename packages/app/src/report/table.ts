import {
  type CycleRecord,
  type MainMeasure,
  type ModuleTraining,
  mainValue,
  type StrategyName,
} from "@learnloss/contract"
import { formatCount, formatSpread } from "./format.ts"
import { type Spread, spread } from "./statistics.ts"
import { labelCounts, type RunSummary, strategiesIn, summarize } from "./summary.ts"

/** A strategy's column of the results table, also as JSON. */
export interface TableColumn {
  readonly strategy: StrategyName
  /** Trials that went through all cycles. */
  readonly finishedTrials: number
  readonly lossModule: ModuleTraining
  /** The main measure at each of the table's label counts, over all trials that got there; null where none did. */
  readonly values: readonly (Spread | null)[]
  readonly aubc: Spread | null
  /** Of the module in the last cycle. */
  readonly rankingAccuracy: Spread | null
  readonly confidenceRankingAccuracy: Spread | null
}

/** The main measure of every strategy on the test set at every label count. */
export interface ResultsTable {
  readonly measure: MainMeasure
  readonly labels: readonly number[]
  readonly strategies: readonly TableColumn[]
}

/** Collects the results table of a run, finished or not. */
export function resultsTable(cycles: readonly CycleRecord[], summary: RunSummary = summarize(cycles)): ResultsTable {
  const labels = labelCounts(cycles)
  const strategies = strategiesIn(cycles).map((strategy): TableColumn => {
    const own = cycles.filter((record) => record.strategy === strategy)
    const summed = summary.strategies.find((each) => each.strategy === strategy)
    return {
      strategy,
      finishedTrials: summed?.finishedTrials ?? 0,
      lossModule: own[0]?.lossModule ?? "none",
      values: labels.map((count) =>
        spread(own.filter((record) => record.labels === count).map((record) => mainValue(record.metrics))),
      ),
      aubc: summed?.aubc ?? null,
      rankingAccuracy: summed?.rankingAccuracy ?? null,
      confidenceRankingAccuracy: summed?.confidenceRankingAccuracy ?? null,
    }
  })
  return { measure: summary.measure, labels, strategies }
}

/** The results table as rows of cells: the head first, then one row for each label count and for each measure. */
export function tableCells({ labels, strategies }: ResultsTable): string[][] {
  const row = (name: string, cell: (column: TableColumn) => string): string[] => [name, ...strategies.map(cell)]
  return [
    row("labels", (column) => column.strategy),
    ...labels.map((count, index) =>
      row(formatCount(count), (column) => {
        const value = column.values[index] ?? null
        // A mean over fewer trials than the column's others says so.
        const isPartial = value !== null && column.finishedTrials > 0 && value.trials !== column.finishedTrials
        return isPartial ? `${formatSpread(value)} (n ${value.trials})` : formatSpread(value)
      }),
    ),
    row("AUBC", (column) => formatSpread(column.aubc)),
    row("ranking, module", (column) => formatSpread(column.rankingAccuracy)),
    row("ranking, confidence", (column) => formatSpread(column.confidenceRankingAccuracy)),
    row("finished trials", (column) => String(column.finishedTrials)),
  ]
}

/** The results table as plain text for a terminal, ending with a newline. */
export function formatTable(table: ResultsTable): string {
  const [head = [], ...rows] = tableCells(table)
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd()
  const rule = widths.map((width) => "-".repeat(width)).join("  ")
  const values = rows.slice(0, table.labels.length)
  const measures = rows.slice(table.labels.length)
  const title = `Test ${table.measure.title} in percent, mean ± standard deviation over trials`
  return `${[title, "", line(head), rule, ...values.map(line), rule, ...measures.map(line)].join("\n")}\n`
}
