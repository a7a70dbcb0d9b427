import type { Command } from "commander"
import type { CommandIo } from "./io.ts"
import { parseCount } from "./parse-options.ts"

interface ExportOptions {
  readonly out: string
  readonly strategy?: string
  readonly trial?: number
  readonly json?: boolean
}

const examples = `
The file holds the weights after the last training, takes any number of images at once, and gives what the network says
and, where a loss module was trained, the predicted loss ("predictedLoss", one of each image).

Images go in as they were trained on: (pixel / 255 - mean) / std per channel, at the size and in the layout that the
metadata name with the task, the classes, mean and std. A classifier gives logits. A detector's file holds decoding and
suppression: "boxes" [N, 4] (corners x1, y1, x2, y2 as shares of width and height, 0..1), "scores" [N], "classes" [N]
(counted from 0) and "imageIndex" [N] (which image of the batch), image by image, highest score first. A file that finds joints
is shown a square around each person and gives "joints" [B, J, 2] (x, y as shares of the square) and "scores" [B, J]; its
metadata hold "skeleton" too.

Examples:
  $ learnloss export learnloss-runs/DIR --strategy learning-loss --trial 1 --out trained.onnx
  $ learnloss export learnloss-runs/DIR/checkpoints/learning-loss-trial1 --out trained.onnx
`

/** Adds `learnloss export RUN|CHECKPOINT` to the command. */
export function addExportCommand(program: Command, io: CommandIo): void {
  program
    .command("export")
    .description("write a trained network and its loss module as an ONNX file")
    .argument("<RUN|CHECKPOINT>", "folder of a run, or of one checkpoint in it")
    .requiredOption("--out <FILE.onnx>", "file to write")
    .option("--strategy <NAME>", "whose network, where a run has several")
    .option("--trial <N>", "of which trial", parseCount)
    .option("--json", "print one JSON object instead of text")
    .addHelpText("after", examples)
    .action(async (from: string, { json, ...options }: ExportOptions) => {
      const { exportRun } = await import("../experiments/export-run.ts")
      const exported = await exportRun({ from, ...options })
      const { out, strategy, trial, cycle, step, steps } = exported
      const when = step < steps ? `step ${step} of ${steps} of cycle ${cycle}` : `cycle ${cycle}`
      io.stdout(
        json === true
          ? `${JSON.stringify(exported, null, 2)}\n`
          : `${out}: network of ${strategy}, trial ${trial}, after ${when}\n`,
      )
    })
}
