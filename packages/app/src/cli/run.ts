import type { Command } from "commander"
import { loadRunConfig } from "../experiments/load-config.ts"
import { describePresets } from "../experiments/presets.ts"
import { startRun } from "../experiments/run-experiment.ts"
import { defaultRunFolder } from "../experiments/run-folder.ts"
import { printPlan } from "./dry-run.ts"
import { type LoadParts, performExperiment } from "./experiment.ts"
import type { CommandIo } from "./io.ts"
import { deviceOption } from "./parse-options.ts"

interface RunOptions {
  readonly out?: string
  readonly strategies?: string
  readonly trials?: string
  readonly seed?: string
  readonly device?: string
  readonly set?: readonly string[]
  readonly json?: boolean
  readonly dryRun?: boolean
}

const examples = `
Examples:
  $ learnloss run demo
  $ learnloss run fashion-mnist-cpu --strategies random,learning-loss-outputs --trials 1
  $ learnloss run cifar10-cpu --set data=cifar10:some/folder --set training.steps=1000 --seed 1
  $ learnloss run my-settings.yaml --out runs/first --dry-run
`

/** Adds `learnloss run PRESET|FILE` to the command. */
export function addRunCommand(program: Command, io: CommandIo, loadParts: LoadParts): void {
  program
    .command("run")
    .description("compare query strategies with labels from the data set")
    .argument("<PRESET|FILE>", "settings that come with learnloss, or a YAML file")
    .option("--out <DIR>", "folder of the run (default: learnloss-runs/<name>-<time>)")
    .option("--strategies <a,b>", "query strategies to compare")
    .option("--trials <N>", "repetitions with other seeds")
    .option("--seed <S>", "seed of everything random")
    .addOption(deviceOption())
    .option("--set <key=value>", "any setting by its dotted key; may be repeated", collect)
    .option("--dry-run", "print the settings and what the run would do, and do nothing")
    .option("--json", "print one JSON object at the end instead of text")
    .addHelpText("after", () => `\nPresets:\n${describePresets()}\n${examples}`)
    .action(async (presetOrFile: string, options: RunOptions) => {
      const config = loadRunConfig(presetOrFile, options)
      const isJson = options.json === true
      if (options.dryRun === true) return printPlan(config, io, isJson)
      const folder = options.out ?? defaultRunFolder(config.name, new Date())
      await performExperiment((experiment) => startRun(config, experiment), { folder, isJson, io, loadParts })
    })
}

function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value]
}
