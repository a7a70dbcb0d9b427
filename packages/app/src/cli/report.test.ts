import { existsSync } from "node:fs"
import { join } from "node:path"
import { Command } from "commander"
import { expect, test } from "vitest"
import { writeSyntheticRun } from "../report/synthetic-run.test-suite.ts"
import { addReportCommand } from "./report.ts"

async function run(...args: string[]): Promise<string> {
  let printed = ""
  const program = new Command().exitOverride().configureOutput({ writeOut: (text) => (printed += text) })
  const stdout = (text: string): void => {
    printed += text
  }
  addReportCommand(program, { stdout, stderr: () => {}, isTerminal: false, signal: new AbortController().signal })
  for (const command of program.commands) command.copyInheritedSettings(program)
  await program.parseAsync(["report", ...args], { from: "user" }).catch((error: unknown) => {
    if ((error as { code?: string }).code !== "commander.helpDisplayed") throw error
  })
  return printed
}

test("report prints the table, the verdict and where the page is", async () => {
  const folder = await writeSyntheticRun({ trials: 1, cycles: 2 })
  const printed = await run(folder)
  expect(printed).toMatch(/^Test accuracy in percent/)
  expect(printed).toContain("1 trial: no statement about chance")
  expect(printed.trimEnd().endsWith(`Report: ${join(folder, "report.html")}`)).toBe(true)
})

test("report --json prints one object, --out moves the files", async () => {
  const folder = await writeSyntheticRun({ trials: 1, cycles: 2 })
  const out = join(folder, "elsewhere")
  const printed = JSON.parse(await run(folder, "--out", out, "--json"))
  expect(printed.report).toBe(join(out, "report.html"))
  expect(printed.table.labels).toEqual([500, 1000])
  expect(printed.verdict[0]).toContain("With these settings")
  expect(existsSync(join(out, "results.csv"))).toBe(true)
})

test("report of no run fails with what a folder should hold", async () => {
  await expect(run("/nowhere")).rejects.toMatchObject({ code: "RUN_FILE_MISSING" })
})

test("report --help has examples", async () => {
  expect(await run("--help")).toContain("$ learnloss report runs/seed-0 runs/seed-1 --out runs/both")
})
