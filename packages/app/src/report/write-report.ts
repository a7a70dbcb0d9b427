import { join } from "node:path"
import { atomicWrite, InternalError } from "@learnloss/engine"
import { runFiles } from "../experiments/run-files.ts"
import { learningCurve } from "./charts.ts"
import { resultsCsv } from "./csv.ts"
import { formatModel } from "./format.ts"
import { reportPage } from "./html.ts"
import { mergeRuns } from "./merge-runs.ts"
import { readRunRecords } from "./read-run.ts"
import { renderPng } from "./render-png.ts"
import { renderSvg } from "./render-svg.ts"
import { type RunSummary, summarize } from "./summary.ts"
import { type ResultsTable, resultsTable } from "./table.ts"
import { wordsOf } from "./task-words.ts"
import { verdict } from "./verdict.ts"

/** What a report says and where it is. */
export interface WrittenReport {
  /** Path of the page. */
  readonly report: string
  readonly verdict: readonly string[]
  readonly table: ResultsTable
  readonly summary: RunSummary
  /** Paths of everything written, the page included. */
  readonly files: readonly string[]
}

const curveSize = { width: 820, height: 460 }

/**
 * Writes the page, the learning curve as SVG and PNG and the CSV of one or several runs.
 *
 * @param outFolder the first run's folder unless given.
 * @throws LearnlossError what `readRunRecords` and `mergeRuns` throw, and `FILE_NOT_WRITTEN`.
 */
export async function writeReport(folders: readonly string[], outFolder?: string): Promise<WrittenReport> {
  const out = outFolder ?? folders[0]
  if (out === undefined) throw new InternalError("no run to report")
  const runs = mergeRuns(folders.map(readRunRecords))
  const summary = summarize(runs.cycles)
  const table = resultsTable(runs.cycles, summary)
  const sentences = verdict(summary)

  const config = runs.runs[0]?.config
  const title =
    config === undefined
      ? ""
      : `${config.name}: ${config.data.split(":")[0]}, ${config.model.name ?? formatModel(config.model)}`
  const curve = await renderSvg(learningCurve(runs.cycles, curveSize, title, wordsOf(runs.runs)))
  // Everything is made before anything is written, so that a defect leaves no half report.
  const contents: [string, string | Uint8Array][] = [
    [runFiles.report, await reportPage({ runs, summary, verdict: sentences, table })],
    [runFiles.learningCurveSvg, curve],
    [runFiles.learningCurvePng, renderPng(curve, 2, "white")],
    [runFiles.results, resultsCsv(runs)],
  ]
  const files = contents.map(([name]) => join(out, name))
  for (const [name, content] of contents) atomicWrite(join(out, name), content)
  return { report: join(out, runFiles.report), verdict: sentences, table, summary, files }
}
