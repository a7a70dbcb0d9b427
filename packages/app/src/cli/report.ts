import type { Command } from "commander"
import type { CommandIo } from "./io.ts"

const examples = `
Writes report.html (one file that needs nothing else), learning-curve.svg, learning-curve.png and results.csv.
Several folders make one report: the same strategy of several runs becomes more trials, so their settings must agree
but for strategies, trials and seed.

Examples:
  $ learnloss report learnloss-runs/demo-20250101-120000
  $ learnloss report runs/seed-0 runs/seed-1 --out runs/both
  $ learnloss report runs/seed-0 --json | jq .verdict
`

/** Adds `learnloss report DIR...` to the command. */
export function addReportCommand(program: Command, io: CommandIo): void {
  program
    .command("report")
    .description("write the report of one or several runs")
    .argument("<DIR...>", "folders of runs")
    .option("--out <DIR>", "folder to write to (default: the first run's folder)")
    .option("--json", "print one JSON object instead of text")
    .addHelpText("after", examples)
    .action(async (folders: string[], options: { out?: string; json?: boolean }) => {
      // Charts take a moment to load, which other commands should not wait for.
      const { writeReport } = await import("../report/write-report.ts")
      const { formatTable } = await import("../report/table.ts")
      const written = await writeReport(folders, options.out)
      if (options.json === true) {
        io.stdout(`${JSON.stringify(written, null, 2)}\n`)
        return
      }
      io.stdout(`${formatTable(written.table)}\n${written.verdict.join("\n")}\n\nReport: ${written.report}\n`)
    })
}
