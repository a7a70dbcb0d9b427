import { statSync } from "node:fs"
import { join } from "node:path"
import type { CycleRecord } from "@learnloss/contract"
import { summarize } from "../report/summary.ts"
import { resultsTable } from "../report/table.ts"
import { verdict } from "../report/verdict.ts"
import type { WrittenReport } from "../report/write-report.ts"
import { runFiles } from "./run-files.ts"

/** Names of the files that a report consists of. */
export const reportFiles = [runFiles.report, runFiles.learningCurveSvg, runFiles.learningCurvePng, runFiles.results]

/** True when all files of a run's report were written after its last cycle. */
export function hasFreshReport(folder: string): boolean {
  const lastCycle = changedAt(join(folder, runFiles.cycles)) ?? 0
  return reportFiles.every((name) => (changedAt(join(folder, name)) ?? -1) >= lastCycle)
}

/** What writing the report would say, without writing anything. */
export function describeReport(folder: string, cycles: readonly CycleRecord[]): WrittenReport {
  const summary = summarize(cycles)
  return {
    report: join(folder, runFiles.report),
    verdict: verdict(summary),
    table: resultsTable(cycles, summary),
    summary,
    files: [],
  }
}

function changedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs
}
