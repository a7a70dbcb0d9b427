import type { CycleRecord } from "@learnloss/contract"
import { runFiles } from "../experiments/run-files.ts"
import { strategyColours } from "./chart-style.ts"
import { formatCount, formatSpread } from "./format.ts"
import { html, type Markup } from "./markup.ts"
import type { MergedRuns } from "./merge-runs.ts"
import { spread } from "./statistics.ts"
import { labelCounts, measureOf, strategiesIn } from "./summary.ts"

/** Average precision of each class with all labels, a column for each strategy; nothing where it was not measured. */
export function classPrecisionSection({ cycles, classNames }: Pick<MergedRuns, "cycles" | "classNames">): Markup | [] {
  const finalLabels = labelCounts(cycles).at(-1) ?? 0
  const last = cycles.filter((record) => record.labels === finalLabels && precisions(record) !== undefined)
  const strategies = strategiesIn(last)
  if (strategies.length === 0) return []
  const classes = Math.max(...last.map((record) => precisions(record)?.length ?? 0))
  const cell = (strategy: string, index: number): string =>
    formatSpread(
      spread(
        last
          .filter((record) => record.strategy === strategy)
          .map((record) => precisions(record)?.[index] ?? null)
          .filter((value) => value !== null),
      ),
    )
  return html`<h3>Average precision of each class at ${formatCount(finalLabels)} labels (percent)</h3>
<div class="scroll"><table>
<thead><tr><th>class</th>${strategies.map((strategy) => html`<th><span class="dot" style="background:${strategyColours[strategy]}"></span>${strategy}</th>`)}</tr></thead>
<tbody>${Array.from({ length: classes }, (_, index) => html`<tr><th>${classNames?.[index] ?? String(index)}</th>${strategies.map((strategy) => html`<td>${cell(strategy, index)}</td>`)}</tr>`)}</tbody>
</table></div>
<p class="soft">Test ${measureOf(cycles).title} is the mean of these. A class that no test image shows has a dash and
does not count. They stand in <code>${runFiles.cycles}</code>.</p>`
}

function precisions({ metrics }: CycleRecord): readonly (number | null)[] | undefined {
  return metrics.averagePrecisionPerClass
}
