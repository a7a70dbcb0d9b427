import { availableParallelism } from "node:os"
import type { DeviceName } from "@learnloss/contract"
import type { Fit, HeldOutFigures, RankEvent, RankSettings } from "@learnloss/learn"
import { type Command, InvalidArgumentError, Option } from "commander"
import { isInterruption } from "../experiments/interruption.ts"
import type { RankOutcome } from "../rank/run-rank.ts"
import { formatCount, formatPercent, plural } from "../report/format.ts"
import { formatDuration } from "./duration.ts"
import type { CommandIo } from "./io.ts"
import { collectNames, deviceOption, parseCount, parseNumbers, parseSeed } from "./parse-options.ts"
import { createPhaseMeter } from "./phase-meter.ts"

interface RankCommandOptions
  extends Omit<RankSettings, "model" | "input" | "outputs" | "diverse" | "threads" | "device"> {
  readonly outputs?: boolean
  readonly diverse?: boolean
  readonly imageSize?: { height: number; width: number }
  readonly fit?: Fit
  readonly mean?: number[]
  readonly std?: number[]
  readonly threads?: number
  readonly device?: DeviceName
  readonly out?: string
  readonly json?: boolean
}

const examples = `
The network stays as it is: its features are computed once for each image and kept in features/ in
$LEARNLOSS_CACHE, else in ~/.cache/learnloss. Only the loss module is trained, on losses that your own training wrote:

  id,loss
  street/0001.jpg,0.173
  street/0002.jpg,2.418

An id is a path relative to --images, with or without extension. Losses of images that the network was not trained on say
most. A fifth of them is held out, and what the module is worth is measured on it. A predicted loss has no unit: it only
compares images. Ctrl-C or a kill costs nothing: the same command goes on with the features that are there.

--fit, --mean and --std have to be what the network was trained with. What is left out is chosen by what the network looks
like and told: cover for a row of scores, letterbox for anything with positions, ImageNet's normalisation for three
channels, none for one channel and for files that Ultralytics wrote.

DIR then holds batch.csv, batch.json, batch-coco.json (an image list for labelling tools), batch.png (the first images),
ranking.csv (the whole pool) and report.json.

Examples:
  $ learnloss rank classifier.onnx --losses losses.csv --images photos/labeled --pool photos/new -n 500
  $ learnloss rank yolo.onnx --losses losses.csv --images train --pool new -n 500 --outputs --mean 0 --std 1
  $ learnloss rank vit.onnx --losses losses.csv --images train --pool new -n 200 --image-size 224 --diverse --out next-batch
`

/** Adds `learnloss rank MODEL.onnx` to the command. */
export function addRankCommand(program: Command, io: CommandIo): void {
  program
    .command("rank")
    .description("rank a pool for a trained ONNX network and write what to label next")
    .argument("<MODEL.onnx>", "any network that takes images and that ONNX Runtime can run")
    .requiredOption("--losses <FILE.csv>", "loss of each labelled image, with the columns id and loss")
    .requiredOption("--images <DIR>", "folder of the images that the losses belong to")
    .requiredOption("--pool <DIR>", "folder of the images to rank")
    .requiredOption("-n, --n <N>", "images of the batch", parseCount)
    .option("--taps <a,b>", "values of the network to read (default: the last map of each resolution)", collectNames)
    .option("--outputs", "let the module also read the network's outputs")
    .option("--diverse", "spread the batch over different kinds of images")
    .option("--image-size <N|HxW>", "size of the network's input, where its file leaves it open", parseSize)
    .addOption(
      new Option("--fit <how>", "how images are brought to that size").choices(["cover", "stretch", "letterbox"]),
    )
    .option("--mean <r,g,b>", "mean of the channels, of pixels scaled to 0..1 (default: ImageNet's)", parseNumbers)
    .option("--std <r,g,b>", "standard deviation of the channels (default: ImageNet's)", parseNumbers)
    .option("--seed <S>", "seed of everything random", parseSeed, 0)
    .addOption(deviceOption("what the network runs on (default: cpu)"))
    .option("--threads <N>", "threads of one run of the network (default: every core)", parseCount)
    .option("--out <DIR>", "folder to write to (default: learnloss-rank/<network>-<time>)")
    .option("--json", "print one JSON object instead of text")
    .addHelpText("after", examples)
    .action(async (model: string, options: RankCommandOptions) => {
      const outcome = await rank(model, options, io)
      io.stdout(options.json === true ? `${JSON.stringify(outcome, null, 2)}\n` : describe(outcome))
    })
}

async function rank(model: string, options: RankCommandOptions, io: CommandIo): Promise<RankOutcome> {
  // Loaded when it is wanted: images and networks take a moment to load, which other commands should not wait for.
  const { defaultRankFolder, runRank } = await import("../rank/run-rank.ts")
  const { imageSize, fit, mean, std, out, json: _, ...others } = options
  const settings: RankSettings = {
    ...others,
    model,
    outputs: options.outputs === true,
    diverse: options.diverse === true,
    input: { imageSize, fit, mean, std },
    threads: options.threads ?? availableParallelism(),
    device: options.device ?? "cpu",
  }
  const meter = createPhaseMeter(io)
  try {
    return await runRank(out ?? defaultRankFolder(model, new Date()), settings, {
      signal: io.signal,
      onEvent(event) {
        if (event.type === "progress") {
          meter.show(event.phase, event.done, event.total)
          return
        }
        meter.close()
        io.stderr(`${tell(event)}\n`)
      },
    })
  } catch (error) {
    meter.close()
    if (isInterruption(error, io.signal)) io.stderr("\nInterrupted; the same command goes on with what is there.\n")
    throw error
  } finally {
    meter.close()
  }
}

function tell(event: Exclude<RankEvent, { type: "progress" }>): string {
  if (event.type === "notice") return event.text
  if (event.type === "warning") return `Warning: ${event.text}`
  return `Held out: ${figures(event.heldOut)}`
}

const shownRows = 10

function describe(outcome: RankOutcome): string {
  const { batch, counts, heldOut, confidence, seconds, folder, files } = outcome
  const rows = batch
    .slice(0, shownRows)
    .map(({ rank: place, predictedLoss, id }) => row(String(place), predictedLoss.toFixed(3), id))
  const more = batch.length > shownRows ? [`... ${plural(batch.length - shownRows, "more image")}`] : []
  const ranked = counts.poolImages - counts.alreadyLabeled - counts.unusable
  const lines = [
    row("rank", "score", "image"),
    ...rows,
    ...more,
    "",
    `Module:     ${figures(heldOut)}`,
    ...(confidence === null ? [] : [`Confidence: ${figures(confidence)}, by the network's own output`]),
    `            of ${plural(heldOut.images, "held-out loss").replace("losss", "losses")} that the module never saw; chance is 50%, lift 1`,
    ...outcome.warnings.map((text) => `Warning: ${text}`),
    "",
    `${formatCount(batch.length)} of ${formatCount(ranked)} images to label next, in ${formatDuration(seconds.all ?? null)}: ${files.csv}`,
    `All files: ${folder}`,
  ]
  return `${lines.join("\n")}\n`
}

function row(place: string, score: string, id: string): string {
  return `${place.padStart(6)}  ${score.padStart(8)}  ${id}`
}

function figures({ rankingAccuracy, interval, lift }: HeldOutFigures): string {
  if (rankingAccuracy === null || interval === null) return "all losses are equal"
  const bounds = interval.map(formatPercent).join(" to ")
  return `ranking accuracy ${formatPercent(rankingAccuracy)} (95% interval ${bounds}), lift ${lift === null ? "-" : lift.toFixed(2)}`
}

function parseSize(text: string): { height: number; width: number } {
  const [, first, second] = /^(\d{1,5})(?:x(\d{1,5}))?$/.exec(text) ?? []
  const size = { height: Number(first), width: Number(second ?? first) }
  if (size.height >= 1 && size.width >= 1) return size
  throw new InvalidArgumentError("It has to be a size in pixels, such as 224 or 480x640 (height x width).")
}
