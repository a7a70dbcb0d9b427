import type { DeviceName } from "@learnloss/contract"
import type { Command } from "commander"
import { resumeRun } from "../experiments/run-experiment.ts"
import { type LoadParts, performExperiment } from "./experiment.ts"
import type { CommandIo } from "./io.ts"
import { deviceOption } from "./parse-options.ts"

const examples = `
A run that goes on ends with the same results as one that was never stopped.
Of a finished run it prints the results.

Example:
  $ learnloss resume learnloss-runs/demo-20250101-120000
`

/** Adds `learnloss resume DIR` to the command. */
export function addResumeCommand(program: Command, io: CommandIo, loadParts: LoadParts): void {
  program
    .command("resume")
    .description("go on with a run that was interrupted or killed")
    .argument("<DIR>", "folder of the run")
    .addOption(deviceOption("the device that the run was started on; another one is refused"))
    .option("--json", "print one JSON object at the end instead of text")
    .addHelpText("after", examples)
    .action(async (folder: string, options: { json?: boolean; device?: DeviceName }) => {
      await performExperiment((experiment) => resumeRun(experiment, options.device), {
        folder,
        isJson: options.json === true,
        io,
        loadParts,
      })
    })
}
