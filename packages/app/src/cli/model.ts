import type { Command } from "commander"
import type { CommandIo } from "./io.ts"
import { parseNumbers } from "./parse-options.ts"

const examples = `
Examples:
  $ learnloss model inspect resnet.onnx
  $ learnloss model inspect detector.onnx --input-size 640,640 --json | jq .taps
  $ learnloss model ops
`

/** Adds `learnloss model ops | inspect FILE` to the command. */
export function addModelCommand(program: Command, io: CommandIo): void {
  const model = program
    .command("model")
    .description("look into an ONNX file, and list the ops that can be trained")
    .helpCommand(false)
    .addHelpText("after", examples)

  model
    .command("ops")
    .description("list the ONNX ops that networks may be made of, and whether gradients pass them")
    .option("--json", "print one JSON array instead of text")
    .action(async ({ json }: { json?: boolean }) => {
      const { listReadableOps } = await import("@learnloss/engine")
      const { formatOps } = await import("../report/model-text.ts")
      const ops = listReadableOps()
      io.stdout(json === true ? `${JSON.stringify(ops, null, 2)}\n` : `${formatOps(ops)}\n`)
    })

  model
    .command("inspect")
    .description("say what an ONNX file holds, what of it can be trained and what to tap")
    .argument("<FILE.onnx>", "the network")
    .option("--input-size <H,W>", "height and width of images, where the file leaves them open", parseNumbers)
    .option("--json", "print one JSON object instead of text")
    .action(async (file: string, { inputSize, json }: { inputSize?: number[]; json?: boolean }) => {
      const { inspectFile } = await import("../model/inspect-file.ts")
      const { formatInspection } = await import("../report/model-text.ts")
      const inspection = await inspectFile(file, inputSize)
      io.stdout(json === true ? `${JSON.stringify(inspection, null, 2)}\n` : `${formatInspection(file, inspection)}\n`)
    })
}
