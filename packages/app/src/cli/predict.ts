import { availableParallelism } from "node:os"
import { type Command, InvalidArgumentError, Option } from "commander"
import type { PredictOutcome } from "../predict/run-predict.ts"
import { type PredictionFormat, predictionFormats } from "../predict/write-predictions.ts"
import { formatCount, plural } from "../report/format.ts"
import { Told } from "./failure.ts"
import type { CommandIo } from "./io.ts"
import { parseCount, parseNumber } from "./parse-options.ts"
import { createPhaseMeter } from "./phase-meter.ts"

interface PredictCommandOptions {
  readonly strategy?: string
  readonly trial?: number
  readonly threshold?: number
  readonly format?: PredictionFormat
  readonly json?: boolean
  readonly out?: string
  readonly draw?: string
  readonly people?: string
  readonly peopleThreshold?: number
  readonly threads?: number
}

const examples = `
The network is one that learnloss trained: a file that \`learnloss export\` or \`learnloss fit\` wrote, the folder of a run, or
one checkpoint in it. Of the networks of a run the one that did best on the test set with most labels is taken, unless
--strategy and --trial choose; which it is goes to stderr. Images are JPEG, PNG or WebP; a folder stands for all below it.

Classifiers give the probability of each class, detectors boxes [x1, y1, x2, y2] in pixels of the image, networks that find
joints the place of each joint of each person. Without --people an image is taken for one person who fills it; with a COCO
file or a list of detections each box of a person in it is looked at, except those with a score below --people-threshold.
Images that the file does not name are left out; stderr counts them. Of people, --format coco writes a COCO file with an
annotation for each person, keypoints and one score; --json has the score of each joint and, with a loss module, each person's
predicted loss.

--threshold leaves out what scores less: by default 0.3 for detections, and nothing with --format coco, of classes and of
joints. JSON and COCO are written whole or not at all; --draw puts pictures under the names of the images into a folder. An
image that cannot be read is named, the others are predicted, and the exit code is 2.

Examples:
  $ learnloss predict detector.onnx photo.jpg
  $ learnloss predict learnloss-runs/DIR photos --json > predictions.json
  $ learnloss predict learnloss-runs/DIR "photos/**/*.jpg" --strategy learning-loss --format coco --out boxes.json
  $ learnloss predict detector.onnx photos --draw drawn --threshold 0.5
  $ learnloss predict pose.onnx photos --people boxes.json --format coco --out joints.json
`

/** Adds `learnloss predict RUN|MODEL.onnx IMAGE...` to the command. */
export function addPredictCommand(program: Command, io: CommandIo): void {
  program
    .command("predict")
    .description(
      "say what a trained network sees in images: classes, objects with their boxes, or the joints of people",
    )
    .argument("<RUN|MODEL.onnx>", "a run's folder, or a file that learnloss wrote")
    .argument("<IMAGE...>", "image files, folders of images, patterns such as photos/*.jpg")
    .option("--strategy <NAME>", "whose network, where a run has several")
    .option("--trial <N>", "of which trial", parseCount)
    .option("--threshold <SCORE>", "least probability of what is told, 0..1", parseShare)
    .addOption(new Option("--format <NAME>", "how it is written (default: text)").choices(predictionFormats))
    .option("--json", "the same as --format json")
    .option("--out <FILE>", "write to a file instead of stdout")
    .option("--draw <DIR>", "write a picture of each image with its boxes, skeletons or classes")
    .option("--people <FILE.json>", "where people are: a COCO file, or what `--format coco` of a detector gave")
    .option("--people-threshold <SCORE>", "least score of boxes of people that have one (default: 0.3)", parseShare)
    .option("--threads <N>", "threads of one run of the network (default: every core)", parseCount)
    .addHelpText("after", examples)
    .action(async (from: string, images: string[], options: PredictCommandOptions) => {
      const { json, format = json === true ? "json" : "text", threads = availableParallelism(), ...rest } = options
      const { runPredict } = await import("../predict/run-predict.ts")
      const meter = createPhaseMeter(io)
      try {
        const outcome = await runPredict(
          { ...rest, from, images, format, threads },
          {
            signal: io.signal,
            onProgress: meter.show,
            onNote(line) {
              meter.close()
              io.stderr(`${line}\n`)
            },
          },
        )
        meter.close()
        tell(outcome, options, io)
      } finally {
        meter.close()
      }
    })
}

/** @throws Told when an image could not be read */
function tell(
  { text, images, unreadable }: PredictOutcome,
  { out, draw }: Pick<PredictCommandOptions, "out" | "draw">,
  io: CommandIo,
): void {
  const read = images - unreadable.length
  if (draw !== undefined) io.stderr(`${draw}: pictures of ${plural(read, "image")}\n`)
  io.stdout(out === undefined ? text : `${out}: predictions of ${plural(read, "image")}\n`)
  if (unreadable.length === 0) return
  for (const image of unreadable) io.stderr(`${image.path}: ${image.unreadable}\n`)
  io.stderr(`${formatCount(unreadable.length)} of ${plural(images, "image")} could not be read\n`)
  throw new Told()
}

function parseShare(text: string): number {
  const share = parseNumber(text)
  if (share >= 0 && share <= 1) return share
  throw new InvalidArgumentError("It has to be a number in 0..1.")
}
