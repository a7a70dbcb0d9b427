import { type TaskName, taskNames } from "@learnloss/contract"
import type { DataDefect } from "@learnloss/learn"
import { type Command, InvalidArgumentError, Option } from "commander"
import { plural } from "../report/format.ts"
import { Told } from "./failure.ts"
import type { CommandIo } from "./io.ts"
import { parseSeed, parseSide } from "./parse-options.ts"
import { requireWritable } from "./require-writable.ts"

const examples = `
Without --augment pictures are shown whole; with it as training sees them: changed at random and brought to the size of
the network's input. How they are changed, and the size, are those of --settings, a preset or a file of settings; without
it every change is on. Boxes must fit their objects in both. People (--task pose) are shown with their joints, hollow
where they are hidden, and the square that the network sees of them; whoever else is in the picture is drawn faintly. A
picture that cannot be read is named, the others are drawn, and the exit code is 2.

Examples:
  $ learnloss data show voc:VOCdevkit/VOC2007
  $ learnloss data show voc:VOCdevkit/VOC2007 --augment -n 24 --out augmented.png
  $ learnloss data show voc:BCCD --augment --settings bccd-cpu
  $ learnloss data show coco:people --task pose --augment
  $ learnloss data show images:photos --image-size 64
`

interface ShowArguments {
  readonly augment?: boolean
  readonly task?: TaskName
  readonly count: number
  readonly seed: number
  readonly out: string
  readonly imageSize?: number
  readonly settings?: string
  readonly json?: boolean
}

const mostSamples = 200

/** Adds `show SPEC` to `learnloss data`. */
export function addShowCommand(data: Command, io: CommandIo): void {
  data
    .command("show")
    .description("draw samples with their boxes, joints or classes, as they are or as training changes them")
    .argument("<SPEC>", "NAME or FORMAT:PATH")
    .addOption(
      new Option(
        "--task <TASK>",
        "what to read where there are boxes and joints (default: that of the settings, else joints)",
      ).choices(taskNames),
    )
    .option("--augment", "show them as training sees them, changed at random")
    .option("-n, --count <COUNT>", "samples to draw", parseSamples, 12)
    .option("--seed <SEED>", "draws the samples and their changes", parseSeed, 0)
    .option("--out <FILE>", "PNG to write", "samples.png")
    .option("--settings <PRESET|FILE>", "show what a run with these settings trains on")
    .option("--image-size <PIXELS>", "side of the network's input (default: that of the settings, else 300)", parseSide)
    .option("--json", "print one JSON object instead of text")
    .addHelpText("after", examples)
    .action(async (spec: string, options: ShowArguments) => {
      const { augment, count, seed, out, settings, json } = options
      requireWritable("--out", out)
      const { showSamples } = await import("../data/show-samples.ts")
      const { augmentSchema } = await import("@learnloss/contract")
      const { loadRunConfig } = await import("../experiments/load-config.ts")
      const config = settings === undefined ? undefined : loadRunConfig(settings)
      const { atomicWrite } = await import("@learnloss/engine")
      const defects: DataDefect[] = []
      const { png, split, samples, unreadable } = await showSamples(spec, {
        task: options.task ?? config?.task,
        count,
        seed,
        changes: augment === true ? (config?.augment ?? augmentSchema.parse({})) : null,
        imageSize: options.imageSize ?? config?.imageSize ?? 300,
        signal: io.signal,
        onDefect: (defect) => defects.push(defect),
      })
      await atomicWrite(out, png)
      if (defects.length > 0) {
        io.stderr(`${plural(defects.length, "defect")} in these data: \`learnloss data check ${spec}\` tells them\n`)
      }
      const how = augment === true ? "as training changes them" : "as they are"
      io.stdout(
        json === true
          ? `${JSON.stringify({ file: out, samples, ...(unreadable.length > 0 && { unreadable }) }, null, 2)}\n`
          : `${out}: ${plural(samples.length, split === "train" ? "training sample" : "test sample")} of ${spec}, ${how}\n`,
      )
      if (unreadable.length === 0) return
      for (const { path, reason } of unreadable) io.stderr(`${path}: ${reason}\n`)
      io.stderr(`${plural(unreadable.length, "picture")} could not be read\n`)
      throw new Told()
    })
}

function parseSamples(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= mostSamples) return count
  throw new InvalidArgumentError(`It has to be a whole number in 1..${mostSamples}.`)
}
