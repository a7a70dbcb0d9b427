import { resolve } from "node:path"
import { type DeviceName, type FitSettingsInput, fitSettingsSchema } from "@learnloss/contract"
import { LearnlossError } from "@learnloss/engine"
import type { Command } from "commander"
import { configError, describeIssues } from "../experiments/config-issues.ts"
import { isInterruption } from "../experiments/interruption.ts"
import type { FitOutcome } from "../fit/run-fit.ts"
import { formatPercent } from "../report/format.ts"
import { createFitProgress } from "./fit-progress.ts"
import type { CommandIo } from "./io.ts"
import { collectNames, deviceOption, parseCount, parseNumber, parseNumbers, parseSeed } from "./parse-options.ts"

interface FitOptions {
  readonly data: string
  readonly out: string
  readonly log?: string
  readonly imageSize?: number
  readonly batch?: number
  readonly steps?: number
  readonly epochs?: number
  readonly lr?: number
  readonly momentum?: number
  readonly weightDecay?: number
  readonly schedule?: string
  readonly shuffle: boolean
  readonly augment: boolean
  readonly mean?: number[]
  readonly std?: number[]
  readonly freeze?: string[]
  readonly freezeNorm?: boolean
  readonly taps?: string[]
  readonly output?: string
  readonly newHead?: boolean
  readonly outputs?: boolean
  readonly lossWeight?: number
  readonly margin?: number
  readonly seed?: number
  readonly device?: DeviceName
  readonly threads?: number
  readonly fixedLowerings?: boolean
  readonly json?: boolean
}

const examples = `
The weights start from the file's. Batch normalisation and dropout are put back into training mode; --freeze-norm keeps
the statistics. Ctrl-C saves, and the same command goes on.

Examples:
  $ learnloss fit resnet.onnx --data cifar10:some/folder --steps 1000 --out trained.onnx
  $ learnloss fit backbone.onnx --data images:photos --image-size 224 --new-head --freeze 'layer1.*,layer2.*' --epochs 5 --out trained.onnx
  $ learnloss fit net.onnx --data fashion-mnist --steps 20 --no-shuffle --no-augment --loss-weight 0 --log steps.jsonl --out trained.onnx
`

/** Adds `learnloss fit FILE.onnx` to the command. */
export function addFitCommand(program: Command, io: CommandIo): void {
  program
    .command("fit")
    .description("train an ONNX network on labelled images, with the loss module beside it")
    .argument("<FILE.onnx>", "the network, with the weights it starts from")
    .requiredOption("--data <SPEC>", "NAME or FORMAT:PATH, see `learnloss data list`")
    .requiredOption("--out <FILE.onnx>", "file for the trained network; its second output is the predicted loss")
    .option("--log <FILE.jsonl>", "one JSON line a step: step, loss, lossPrediction, learningRate")
    .option("--image-size <PIXELS>", "side that images of a folder are brought to", parseCount)
    .option("--batch <N>", "images a step; even (default: 32)", parseCount)
    .option("--steps <N>", "training steps (give this or --epochs)", parseCount)
    .option("--epochs <N>", "passes over the images", parseCount)
    .option("--lr <RATE>", "learning rate (default: 0.01; 0.001 where normalisation is folded away)", parseNumber)
    .option("--momentum <M>", "default: 0.9", parseNumber)
    .option("--weight-decay <W>", "default: 0.0005", parseNumber)
    .option("--schedule <KIND>", "constant, cosine or step (default: constant)")
    .option("--no-shuffle", "read the images in the order of their files")
    .option("--no-augment", "leave the training images as they are")
    .option(
      "--mean <a,b,c>",
      "one for all channels or one each, of pixels scaled to 0..1 (default: the data set's)",
      parseNumbers,
    )
    .option("--std <a,b,c>", "the same for the standard deviation", parseNumbers)
    .option("--freeze <GLOB>", "parameters that stay as they are, or a value up to which all is kept", collectNames)
    .option("--freeze-norm", "keep the statistics of batch normalisation")
    .option("--taps <a,b>", "values that the loss module reads (default: the last of each resolution)", collectNames)
    .option("--output <VALUE>", "value to take as logits (default: the first output, without a final Softmax)")
    .option("--new-head", "put a new last layer for the classes of the data in place of the file's")
    .option("--outputs", "let the loss module read statistics of the network's output too")
    .option(
      "--loss-weight <W>",
      "factor of the module's loss; with 0 its gradient never reaches the network (default: 1)",
      parseNumber,
    )
    .option("--margin <M>", "margin of the ranking objective (default: 1)", parseNumber)
    .option("--seed <S>", "seed of everything random (default: 0)", parseSeed)
    .addOption(deviceOption())
    .option("--threads <N>", "threads of a step (default: every core)", parseCount)
    .option("--fixed-lowerings", "do not measure how convolutions are computed fastest")
    .option("--json", "print one JSON object at the end instead of text")
    .addHelpText("after", examples)
    .action(async (file: string, options: FitOptions) => {
      const { notice, settings } = await settingsOf(file, options)
      const { runFit } = await import("../fit/run-fit.ts")
      if (notice !== undefined) io.stderr(`${notice}\n`)
      const progress = createFitProgress(io)
      try {
        const outcome = await runFit(settings, {
          out: options.out,
          ...(options.log === undefined ? {} : { log: options.log }),
          signal: io.signal,
          ...progress.listeners,
        })
        progress.close()
        io.stdout(options.json === true ? `${JSON.stringify(outcome, null, 2)}\n` : describe(outcome))
      } catch (error) {
        progress.close()
        if (isInterruption(error, io.signal)) io.stderr("Interrupted. The same command goes on.\n")
        throw error
      }
    })
}

/** Learning rates that training starts with: a folded network has nothing that keeps its scales in order. */
const defaultLearningRate = { normalised: 0.01, folded: 0.001 }

async function settingsOf(file: string, options: FitOptions) {
  const { foldedNorm, readOnnxModel } = await import("@learnloss/engine")
  const model = readOnnxModel(file)
  const isFolded = foldedNorm(model) === "yes"
  const { mean, std, steps, epochs, batch, momentum, weightDecay, lossWeight, margin, seed, device, threads } = options
  if ((mean === undefined) !== (std === undefined)) {
    throw new LearnlossError("FIT_OPTIONS", {
      where: mean === undefined ? "--std" : "--mean",
      expected: "both --mean and --std, or neither",
      got: "one of them",
    })
  }
  if ((steps === undefined) === (epochs === undefined)) {
    throw new LearnlossError("FIT_OPTIONS", {
      where: "--steps, --epochs",
      expected: "exactly one of them",
      got: steps === undefined ? "neither" : "both",
    })
  }
  const input: FitSettingsInput = {
    onnx: resolve(file),
    digest: model.digest,
    data: options.data,
    ...(options.imageSize === undefined ? {} : { imageSize: options.imageSize }),
    ...(mean === undefined || std === undefined ? {} : { normalization: { mean, std } }),
    taps: options.taps ?? null,
    output: options.output ?? null,
    newHead: options.newHead === true,
    freeze: options.freeze ?? [],
    freezeNorm: options.freezeNorm === true,
    readsOutputs: options.outputs === true,
    ...(options.augment ? {} : { augment: { crop: 0, flip: false } }),
    shuffle: options.shuffle,
    steps: steps ?? null,
    epochs: epochs ?? null,
    learningRate: options.lr ?? (isFolded ? defaultLearningRate.folded : defaultLearningRate.normalised),
    ...defined({ batch, momentum, weightDecay, lossWeight, margin, seed, device, threads }),
    ...(options.schedule === undefined ? {} : { schedule: { kind: options.schedule } as FitSettingsInput["schedule"] }),
    ...(options.fixedLowerings === true ? { lowerings: "fixed" as const } : {}),
  }
  const parsed = fitSettingsSchema.safeParse(input)
  if (!parsed.success) {
    const problems = describeIssues(parsed.error.issues, input, () => undefined)
    throw configError(
      "learnloss fit",
      problems.map(({ where, ...problem }) => ({ where: optionOf(where), ...problem })),
      "FIT_OPTIONS",
    )
  }
  const isLowered = isFolded && options.lr === undefined
  const notice = `Normalisation is folded away in ${file}, so the learning rate is ${defaultLearningRate.folded}; --lr changes it.`
  return { settings: parsed.data, notice: isLowered ? notice : undefined }
}

/** Options that are not called what their setting is. */
const optionNames: Readonly<Record<string, string>> = {
  learningRate: "--lr",
  "schedule.kind": "--schedule",
  "normalization.mean": "--mean",
  "normalization.std": "--std",
  readsOutputs: "--outputs",
}

/** The option that a setting comes from; `key` may end with a place in a list. */
function optionOf(key: string): string {
  const name = key.replace(/\[\d+\]$/, "")
  return optionNames[name] ?? `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** Only what was given, so that the schema fills in its defaults. */
function defined<T extends Record<string, unknown>>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>
  }
}

function describe({ out, steps, measures }: FitOutcome): string {
  const { accuracy, testLoss, rankingAccuracy, confidenceRankingAccuracy, lift } = measures
  const ranking = (value: number | null) => (value === null ? "-" : value.toFixed(3))
  return [
    `Trained ${steps} steps. On the test images: accuracy ${formatPercent(accuracy)}, loss ${testLoss.toFixed(4)}.`,
    `Ranking accuracy of the loss module ${ranking(rankingAccuracy)} (plain confidence ${ranking(confidenceRankingAccuracy)}), lift ${ranking(lift)}.`,
    `Network and loss module: ${out}`,
    "",
  ].join("\n")
}
