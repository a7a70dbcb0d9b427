import type { CycleRecord } from "@learnloss/contract"
import { runFiles } from "../experiments/run-files.ts"
import { strategyColours } from "./chart-style.ts"
import { formatCount, formatSpread } from "./format.ts"
import { html, type Markup } from "./markup.ts"
import type { MergedRuns } from "./merge-runs.ts"
import { spread } from "./statistics.ts"
import { labelCounts, measureOf, strategiesIn } from "./summary.ts"
import { wordsOf } from "./task-words.ts"

/** What tasks measure of each class or joint, and how the table says what it is. */
const measures = {
  averagePrecisionPerClass: {
    heading: "Average precision of each class",
    note: (title: string) =>
      `Test ${title} is the mean of these. A class that no test image shows has a dash and does not count.`,
  },
  pckPerJoint: {
    heading: "Share of each joint that was found",
    note: (title: string) =>
      `By the rule of test ${title}, which is the share of all joints together. A joint that nobody labelled has a dash.`,
  },
} as const satisfies Partial<Record<keyof CycleRecord["metrics"], { heading: string; note(title: string): string }>>

const names = Object.keys(measures) as (keyof typeof measures)[]

/** What was measured of each class or joint with all labels, a column for each strategy; nothing where nothing was. */
export function classSection(runs: Pick<MergedRuns, "cycles" | "classNames" | "runs">): Markup | [] {
  const { cycles, classNames } = runs
  const finalLabels = labelCounts(cycles).at(-1) ?? 0
  const name = names.find((each) => cycles.some(({ metrics }) => metrics[each] !== undefined))
  if (name === undefined) return []
  const shares = ({ metrics }: CycleRecord): readonly (number | null)[] => metrics[name] ?? []
  const last = cycles.filter((record) => record.labels === finalLabels && shares(record).length > 0)
  const strategies = strategiesIn(last)
  const classes = Math.max(0, ...last.map((record) => shares(record).length))
  const cell = (strategy: string, index: number): string =>
    formatSpread(
      spread(
        last
          .filter((record) => record.strategy === strategy)
          .map((record) => shares(record)[index] ?? null)
          .filter((value) => value !== null),
      ),
    )
  const { heading, note } = measures[name]
  const measure = measureOf(cycles)
  return html`<h3>${heading} at ${formatCount(finalLabels)} labels (percent)</h3>
<div class="scroll"><table>
<thead><tr><th>${wordsOf(runs.runs).part}</th>${strategies.map((strategy) => html`<th><span class="dot" style="background:${strategyColours[strategy]}"></span>${strategy}</th>`)}</tr></thead>
<tbody>${Array.from({ length: classes }, (_, index) => html`<tr><th>${classNames?.[index] ?? String(index)}</th>${strategies.map((strategy) => html`<td>${cell(strategy, index)}</td>`)}</tr>`)}</tbody>
</table></div>
<p class="soft">${note(measure.title)}${headNote(last)} They stand in <code>${runFiles.cycles}</code>.${measure.says === undefined ? "" : ` ${measure.says}`}${stricterNote(last)}</p>`
}

/** Stricter measures of poses, of each strategy; nothing where none was taken. */
function stricterNote(cycles: readonly CycleRecord[]): string {
  const measured = strategiesIn(cycles).flatMap((strategy) => {
    const own = cycles.filter((record) => record.strategy === strategy).map(({ metrics }) => metrics)
    const shown = (values: readonly unknown[]) =>
      formatSpread(spread(values.filter((value) => typeof value === "number")))
    const oks = own.map((metrics) => (metrics.oks as { ap?: number } | null | undefined)?.ap)
    const strict = own.map(({ PCKh01 }) => PCKh01)
    const parts = [
      ...(strict.some((value) => typeof value === "number") ? [`PCKh@0.1 ${shown(strict)}`] : []),
      ...(oks.some((value) => typeof value === "number") ? [`AP by object keypoint similarity ${shown(oks)}`] : []),
    ]
    return parts.length === 0 ? [] : [`${strategy} ${parts.join(", ")}`]
  })
  return measured.length === 0 ? "" : ` Stricter measures: ${measured.join("; ")}.`
}

/** Where the lengths of heads come from, by which PCKh measures; nothing where it was not measured. */
function headNote(cycles: readonly CycleRecord[]): string {
  const from = cycles[0]?.metrics.headSizeFrom
  return typeof from === "string" ? ` The length of a head comes from: ${from}.` : ""
}
