import { runFiles } from "../experiments/run-files.ts"
import { strategyColours } from "./chart-style.ts"
import { formatCount, formatP, formatPoints, formatSpread, plural } from "./format.ts"
import { chartSections } from "./html-charts.ts"
import { classSection } from "./html-classes.ts"
import { foundSection } from "./html-found.ts"
import { pickedSection } from "./html-picked.ts"
import { reproduceSection, settingsList } from "./html-settings.ts"
import { int8Section } from "./int8.ts"
import { html, Markup } from "./markup.ts"
import type { MergedRuns } from "./merge-runs.ts"
import { pageStyle } from "./page-style.ts"
import type { PairedDifference } from "./statistics.ts"
import type { RunSummary, StrategySummary } from "./summary.ts"
import { type ResultsTable, tableCells } from "./table.ts"

/** What a report shows. */
export interface ReportContent {
  readonly runs: MergedRuns
  readonly summary: RunSummary
  readonly verdict: readonly string[]
  readonly table: ResultsTable
}

/** Writes the report as one HTML page that needs no other file and no network. */
export async function reportPage(content: ReportContent): Promise<string> {
  const { runs, verdict } = content
  const name = [...new Set(runs.runs.map(({ config }) => config.name))].join(" + ")
  const description = runs.runs[0]?.config.description ?? ""
  const [headline = "", ...details] = verdict
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${name}: learnloss report</title>
<style>${new Markup(pageStyle)}</style>
</head>
<body>
<main>
<h1>${name}</h1>
<p class="soft">${description === "" ? "Active learning: query strategies compared by learnloss" : description}</p>
<section class="verdict" aria-label="Verdict">
<p>${unbroken(headline)}</p>
${details.length === 0 ? [] : html`<ul>${details.map((sentence) => html`<li>${paragraph(sentence)}</li>`)}</ul>`}
</section>
${resultsSection(content)}
${classSection(runs)}
${await chartSections(runs)}
${foundSection(runs)}
${int8Section(runs.cycles)}
${pickedSection(runs)}
<h2>Settings</h2>
${settingsList(runs)}
${reproduceSection(runs)}
</main>
</body>
</html>
`
  return page.text
}

function resultsSection({ summary, table }: ReportContent): Markup {
  const { title } = summary.measure
  const [head = [], ...rows] = tableCells(table)
  return html`<h2>Results</h2>
<div class="scroll"><table>
<thead><tr><th>strategy</th><th>trials</th><th>${title} at<br>${formatCount(summary.finalLabels)} labels</th>
<th>AUBC</th><th>final ${title}<br>against random</th><th>AUBC<br>against random</th>
<th>labels for<br>random's final</th></tr></thead>
<tbody>${summary.strategies.map((each) => strategyRow(each, summary.finalLabels))}</tbody>
</table></div>
<p class="soft">In percent, mean ± sample standard deviation over trials. Against random: mean difference of paired trials in points ± standard
error, p of an exact two-sided sign-flip test${smallestP(summary)}. AUBC, the area under the budget curve, is the mean height of the
learning curve. Last column: labels that the strategy needed for random's final ${title}.</p>
<h3>Test ${title} at every label count, ranking accuracy in the last cycle (percent)</h3>
<div class="scroll"><table>
<thead><tr>${head.map((cell) => html`<th>${cell}</th>`)}</tr></thead>
<tbody>${rows.map(([first = "", ...cells]) => html`<tr><th>${first}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
</table></div>
<p class="soft">Every number is in <code>${runFiles.results}</code> beside this page.</p>`
}

function strategyRow(each: StrategySummary, finalLabels: number): Markup {
  const { strategy, againstRandom } = each
  const trials = `${each.finishedTrials}${each.unfinishedTrials > 0 ? ` (+${each.unfinishedTrials} unfinished)` : ""}`
  const needed = againstRandom?.labelSaving.strategyLabels ?? null
  const saving =
    againstRandom === null ? "-" : needed === null ? `more than ${formatCount(finalLabels)}` : formatCount(needed)
  return html`<tr><th><span class="dot" style="background:${strategyColours[strategy]}"></span>${strategy}</th>
<td>${trials}</td><td>${formatSpread(each.finalValue)}</td><td>${formatSpread(each.aubc)}</td>
<td>${differenceCell(againstRandom?.finalValue ?? null)}</td><td>${differenceCell(againstRandom?.aubc ?? null)}</td>
<td>${saving}</td></tr>`
}

function differenceCell(difference: PairedDifference | null): string {
  if (difference === null) return "-"
  const { mean, standardError, p } = difference
  if (standardError === null) return formatPoints(mean)
  return `${formatPoints(mean)} ± ${(100 * standardError).toFixed(1)}, p ${formatP(p)}`
}

/** Puts the strategy that a paragraph starts with in bold. */
function paragraph(text: string): Markup {
  const [, name = ""] = /^(\S+) (?=was|has)/.exec(text) ?? []
  return html`<strong>${name}</strong>${unbroken(text.slice(name.length))}`
}

/** Keeps `p = 0.25` and `1.2 points` on one line. */
function unbroken(sentence: string): string {
  return sentence.replace(/ = | ± |(?<=\d) (?=points|labels|trials)/g, (text) => text.replaceAll(" ", "\u00a0"))
}

function smallestP(summary: RunSummary): string {
  const difference = summary.strategies.flatMap((each) => each.againstRandom?.finalValue ?? [])[0]
  if (difference === undefined) return ""
  if (difference.pairs === 1) return "; one trial says nothing about chance"
  return ` (${plural(difference.pairs, "trial")} cannot give a p below ${Number(difference.smallestP.toPrecision(2))})`
}
