import { readFileSync } from "node:fs"
import { Command } from "commander"
import { addDataCommand } from "./data.ts"
import type { LoadParts } from "./experiment.ts"
import { addExportCommand } from "./export.ts"
import { addFitCommand } from "./fit.ts"
import type { CommandIo } from "./io.ts"
import { addModelCommand } from "./model.ts"
import { addPredictCommand } from "./predict.ts"
import { addRankCommand } from "./rank.ts"
import { addReportCommand } from "./report.ts"
import { addResumeCommand } from "./resume.ts"
import { addRunCommand } from "./run.ts"

const description = `Active learning that predicts which images a network will get wrong.

learnloss trains a network together with a small module that predicts the network's loss, has the images \
with the highest predicted loss labelled, and repeats; after "Learning Loss for Active Learning" \
(Yoo & Kweon, CVPR 2019).`

const examples = `
Examples:
  $ learnloss run demo                         a first comparison, under three minutes
  $ learnloss data fetch fashion-mnist         put a data set on this machine
  $ learnloss run fashion-mnist-cpu --trials 1 one trial of a larger comparison
  $ learnloss resume learnloss-runs/DIR        go on after Ctrl-C or a kill
  $ learnloss report learnloss-runs/DIR        write the report again

Progress goes to stderr, results to stdout. Exit codes: 0 done, 1 a defect of learnloss, 2 bad input, 130 interrupted.
`

/** Builds the `learnloss` command; it throws CommanderError where commander would end the process. */
export function createProgram(io: CommandIo, loadParts: LoadParts): Command {
  const program = new Command("learnloss")
    .description(description)
    .version(readVersion(), "--version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand(false)
    .addHelpText("after", examples)
    .showSuggestionAfterError()
    .showHelpAfterError("(add --help for what there is)")
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
  addDataCommand(program, io)
  addRunCommand(program, io, loadParts)
  addResumeCommand(program, io, loadParts)
  addReportCommand(program, io)
  addRankCommand(program, io)
  addModelCommand(program, io)
  addFitCommand(program, io)
  addExportCommand(program, io)
  addPredictCommand(program, io)
  return program
}

function readVersion(): string {
  const file = new URL("../../package.json", import.meta.url)
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version
}
