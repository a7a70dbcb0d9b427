import { fallbackNotice } from "../experiments/run-data.ts"
import type { Outcome } from "../experiments/run-experiment.ts"
import { formatTable } from "../report/table.ts"
import type { CommandIo } from "./io.ts"

/** Prints what a run came to: the table, the verdict and where the report is, or all of it as one JSON object. */
export function printOutcome({ folder, config, written }: Outcome, io: CommandIo, isJson: boolean): void {
  const notice = fallbackNotice(config)
  if (isJson) {
    io.stdout(`${JSON.stringify({ folder, ...written, data: config.data, notice }, null, 2)}\n`)
    return
  }
  const lines = [
    formatTable(written.table).trimEnd(),
    "",
    ...written.verdict,
    "",
    `Report: ${written.report}`,
    ...(notice === null ? [] : [notice]),
  ]
  io.stdout(`${lines.join("\n")}\n`)
}
