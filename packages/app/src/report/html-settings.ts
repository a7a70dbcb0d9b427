import type { DataFormat, OptimizerName, RankedPairs, RunConfig } from "@learnloss/contract"
import { stringify } from "yaml"
import { formatCount, formatModel, plural } from "./format.ts"
import { html, type Markup } from "./markup.ts"
import type { MergedRuns, TrialOrigin } from "./merge-runs.ts"
import { taskWords } from "./task-words.ts"

/** What a person needs to know to get the same data. */
const dataNotes = {
  cifar10: html`CIFAR-10 in its binary version: <code>learnloss data fetch cifar10</code>.`,
  "fashion-mnist": html`Fashion-MNIST: <code>learnloss data fetch fashion-mnist</code>.`,
  images: html`A folder of images; the results hold for these files only.`,
  shapes: html`Drawn by learnloss itself from the seed; no files are needed.`,
  "shapes-detection": html`Drawn by learnloss itself from the seed; no files are needed.`,
  figures: html`Drawn by learnloss itself from the seed; no files are needed.`,
  voc: html`A folder of images with boxes; the results hold for these files only.`,
  coco: html`A folder of images with boxes; the results hold for these files only.`,
  yolo: html`A folder of images with boxes; the results hold for these files only.`,
  mpii: html`MPII Human Pose: images and annotations from its authors; the split is that of <code>valid.json</code> where it is there.`,
} as const satisfies Record<DataFormat, Markup>

/** The settings that matter most, in words. */
export function settingsList({ runs, trials }: MergedRuns): Markup {
  const config = runs[0]?.config
  if (config === undefined) return html``
  const data = [...new Set(runs.map((run) => run.config.data))].join(", ")
  const note = Object.entries(dataNotes).find(([format]) => format === config.data.split(":")[0])?.[1]
  const rows: [string, string | Markup][] = [
    ["data", html`<code>${data}</code>. ${note ?? ""}${pathNote(config)}`],
    ["pool", poolText(config)],
    ["network", networkText(config)],
    ...taskRow(config),
    ["training", trainingText(config)],
    ["loss module", moduleText(config)],
    ["budget", budgetText(config)],
    ["trials", seedsText(trials)],
    ["engine", [...new Set(runs.map((run) => engineText(run.config)))].join("; ")],
  ]
  return html`<dl>${rows.map(([name, text]) => html`<dt>${name}</dt><dd>${text}</dd>`)}</dl>`
}

/** How to get the same results again, with the full settings. */
export function reproduceSection({ runs }: MergedRuns): Markup {
  return html`<h2>How to reproduce</h2>
<p>Save the settings of a run as <code>run.yaml</code> and start it. The same settings, data, thread count and lowering plan
give the same losses, selections and measures on one machine; on another they differ by rounding.</p>
<pre>npx learnloss run run.yaml --out again
npx learnloss report again</pre>
${runs.map(({ folder, config }) => html`<details><summary>Settings of ${folder}</summary><pre>${stringify(config)}</pre></details>`)}`
}

function networkText({ model, freeze }: RunConfig): string {
  const taps = model.onnx === undefined || model.taps === null ? "" : `; taps ${model.taps.join(", ")}`
  const frozen = [freeze].flat()
  return `${formatModel(model)}${taps}${frozen.length === 0 ? "" : `; frozen: ${frozen.join(", ")}`}`
}

function pathNote({ data }: RunConfig): string {
  return data.includes(":") ? " The path is the one on the machine where the run was made." : ""
}

/** What is set for the task alone, under its name. */
function taskRow(config: RunConfig): [string, string][] {
  const text = taskWords[config.task].settings(config)
  return text === "" ? [] : [[config.task, text]]
}

function poolText({ pool, imageSize, data, task }: RunConfig): string {
  const { samples, part } = taskWords[task]
  const counted = (count: number, kind: string) => `${formatCount(count)} ${kind} ${samples}`
  const parts = [
    pool.size === null ? `all training ${samples}` : counted(pool.size, "training"),
    ...(pool.imbalance === 1
      ? part === "class"
        ? ["classes as in the data"]
        : []
      : [`long-tailed: largest class ${pool.imbalance} times the smallest`]),
    pool.testSize === null ? `all test ${samples}` : counted(pool.testSize, "test"),
  ]
  return [...parts, ...(imageSizeCounts(data) ? [`${imageSize} x ${imageSize} pixels`] : [])].join("; ")
}

/** Data sets whose images are of one size, whatever the settings name. */
const sizedFormats: readonly string[] = ["cifar10", "fashion-mnist", "shapes"] satisfies readonly DataFormat[]

function imageSizeCounts(data: string): boolean {
  return !sizedFormats.includes(data.split(":")[0] ?? "")
}

const optimizerText = {
  sgd: ({ momentum }) => `SGD with momentum ${momentum}`,
  rmsprop: ({ smoothing }) => `RMSprop with smoothing ${smoothing}`,
} as const satisfies Record<OptimizerName, (training: RunConfig["training"]) => string>

function trainingText({ training, augment, task }: RunConfig): string {
  const length = training.epochs === undefined ? plural(training.steps ?? 0, "step") : plural(training.epochs, "epoch")
  const start = training.startFrom === "fresh" ? "new weights each cycle" : "weights of the last cycle kept"
  const changes = [...taskWords[task].augmentations(augment), ...(augment.flip ? ["flip"] : [])]
  return [
    `${length} a cycle, batch ${training.batch}`,
    `${optimizerText[training.optimizer](training)}, learning rate ${training.learningRate} (${training.schedule.kind}), weight decay ${training.weightDecay}`,
    start,
    changes.length === 0 ? "no augmentation" : `augmented by ${changes.join(", ")}`,
  ].join("; ")
}

const rankedText = {
  halves: "one half of a batch with the other",
  all: "all pairs of a batch",
} as const satisfies Record<RankedPairs, string>

function moduleText({ lossModule }: RunConfig): string {
  const remembered = lossModule.memory === 0 ? "" : ` and each sample with the last ${formatCount(lossModule.memory)}`
  return `trained ${lossModule.training}; ranks ${rankedText[lossModule.pairs]}${remembered}; width ${lossModule.width}, margin ${lossModule.margin}, weight ${lossModule.weight}, gradient into the network stopped at ${lossModule.stopGradientAt}`
}

function budgetText({ budget: { initial, perCycle, cycles, candidates }, task }: RunConfig): string {
  if (cycles === 1) return `1 cycle with ${formatCount(initial)} labels`
  const last = initial + (cycles - 1) * perCycle
  const scored =
    candidates === null ? "the whole pool" : `${formatCount(candidates)} random ${taskWords[task].samples} of the pool`
  return `${plural(cycles, "cycle")} from ${formatCount(initial)} to ${formatCount(last)} labels in steps of ${formatCount(perCycle)}; ${scored} scored each time`
}

function seedsText(trials: readonly TrialOrigin[]): string {
  const seeds = [...new Set(trials.map(({ seed }) => seed))]
  return seeds
    .map((seed) => `${plural(trials.filter((trial) => trial.seed === seed).length, "trial")} of seed ${seed}`)
    .join(", ")
}

function engineText({ engine }: RunConfig): string {
  const threads = engine.threads === null ? "every core" : plural(engine.threads, "thread")
  const jobs = engine.jobs === "measured" || engine.jobs === 1 ? "" : `${engine.jobs} trainings at once with `
  return `${engine.device}, ${jobs}${threads}${jobs === "" ? "" : " each"}, lowerings ${typeof engine.lowerings === "string" ? engine.lowerings : "as measured (see the full settings)"}${engine.scoringPrecision === "int8" ? ", candidates scored in int8" : ""}`
}
