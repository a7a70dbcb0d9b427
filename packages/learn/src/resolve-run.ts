import { availableParallelism } from "node:os"
import type { RunConfig, StrategyName } from "@learnloss/contract"
import {
  cacheFolder,
  type Device,
  type EvaluationChoice,
  fixedPlan,
  LearnlossError,
  type LoweringPlan,
  type MeasureOptions,
  measureTrainingPlan,
  openMeasurements,
  type TrainingSpec,
} from "@learnloss/engine"
import type { AnyDataset } from "./data/dataset.ts"
import { requireExportable } from "./export.ts"
import { chooseJobs, isLayoutOpen, layoutTimer, namedLayout, remembered, stepName } from "./jobs/choose-jobs.ts"
import { openModel } from "./models/open-model.ts"
import { describeInt8 } from "./scoring/int8.ts"
import { makeTask, requireDataOf } from "./tasks/tasks.ts"
import { chooseEvaluation, evaluationOf } from "./training/choose-evaluation.ts"
import { buildTraining, type Learner } from "./training/learner.ts"
import { cacheNotice } from "./training/open-batches.ts"
import { strategyTraining } from "./training/strategy-training.ts"

/** The network, task and training of one strategy, as the settings describe them. */
export async function openLearner(config: RunConfig, dataset: AnyDataset, strategy: StrategyName) {
  requireDataOf(config, dataset)
  const { imageShape, classNames } = dataset
  const { model, imported, digest } = await openModel(config, { imageShape, classes: classNames.length })
  const task = makeTask(config.task, { data: dataset, model, config })
  if (task.countObjects?.(dataset.train.targets) === 0) throw nothingToLearn(config.data)
  task.requireMeasurable?.(dataset.test.targets)
  const learner: Learner = { model, task, imageShape, strategyTraining: strategyTraining(strategy, config), config }
  return { learner, imported, digest }
}

function nothingToLearn(data: string): LearnlossError {
  return new LearnlossError("TRAIN_WITHOUT_OBJECTS", {
    where: data,
    expected: "an object in at least one training image",
    got: "none",
    fix: "Name another split, or look at the annotations with `learnloss data check`.",
  })
}

/** How sessions use the machine: on every core where the settings name no number of threads. */
export function machineOf({ engine }: { engine: Pick<RunConfig["engine"], "threads" | "device"> }): {
  threads: number
  device: Device
} {
  return { threads: engine.threads ?? availableParallelism(), device: engine.device }
}

/** How training computes its products under resolved settings. */
export function planOf({ engine }: RunConfig): LoweringPlan {
  return typeof engine.lowerings === "string" ? fixedPlan : engine.lowerings
}

/** What resolving may take from its surroundings. */
export interface ResolveOptions {
  /** Told how many of the products that have to be measured were. */
  readonly onMeasure?: (done: number, total: number) => void
  /** Folder of caches; `$LEARNLOSS_CACHE` or its default where it is left out. */
  readonly cache?: string
}

/**
 * Chooses how many jobs share the processor's threads, measures lowerings and looks into the network's file, where the
 * settings leave that open.
 *
 * @param say is told what was decided about a network from a file
 * @throws LearnlossError `MODULE_NOT_TRAINED` when a strategy cannot run under the settings, `INT8_NOTHING` and
 * `INT8_DEVICE` when it cannot be scored in int8, and what opening a network throws
 */
export async function resolveRun(
  config: RunConfig,
  dataset: AnyDataset,
  say: (line: string) => void,
  { onMeasure, cache = cacheFolder() }: ResolveOptions = {},
): Promise<RunConfig> {
  const [strategy, ...others] = config.strategies as [StrategyName, ...StrategyName[]]
  for (const other of others) strategyTraining(other, config)
  const opened = await openLearner(config, dataset, strategy)
  const { learner, imported } = opened
  for (const note of imported?.notes ?? []) say(note)
  const large = cacheNotice(learner.model, dataset, config.augment)
  if (large !== undefined) say(large)
  const digest = opened.digest()
  const model = digest === undefined ? config.model : { ...config.model, digest }
  const spec = buildTraining(learner, config.training.batch)
  if (imported !== undefined) tellUnexportable(learner, spec, dataset, say)
  if (config.engine.scoringPrecision === "int8") say(describeInt8(learner, spec.network.specs, config.engine.device))
  const { lowerings, device } = config.engine
  const measuring = (threads: number): MeasureOptions => {
    const session = { threads, device }
    const measurements = openMeasurements({ folder: cache, session, say })
    return { ...session, measurements, ...(onMeasure && { onProgress: onMeasure }) }
  }
  const chosenFor = async (threads: number) => {
    if (lowerings !== "measured") return lowerings
    const own = buildTraining(learner, config.training.batch)
    return await measureTrainingPlan(own, measuring(threads))
  }
  const cores = availableParallelism()
  let layout = namedLayout(config, cores)
  let chosen = await chosenFor(layout.threads)
  // What a frozen part costs shows in no training step.
  if (isLayoutOpen(config) && learner.model.frozen === undefined) {
    const planFor = async (count: number): Promise<LoweringPlan> =>
      planOf({ ...config, engine: { ...config.engine, lowerings: await chosenFor(count) } })
    const measurements = openMeasurements({ folder: cache, session: { threads: cores, device }, say })
    const timer = remembered(layoutTimer(learner, dataset, planFor, device), measurements, async (count) =>
      stepName(learner, await planFor(count)),
    )
    layout = await chooseJobs(config, cores, timer, say)
    if (layout.jobs > 1) chosen = await chosenFor(layout.threads)
  }
  const engine = { ...config.engine, ...layout, lowerings: chosen }
  const evaluation = await settleEvaluation(config, learner, measuring(layout.threads))
  if (typeof chosen === "string") return { ...config, model, engine: { ...engine, evaluationBatch: evaluation.batch } }
  const plans = { ...chosen, ...evaluation.plan }
  return { ...config, model, engine: { ...engine, lowerings: plans, evaluationBatch: evaluation.batch } }
}

/** Batch that a plan was made for: evaluated products carry it in their names. */
function evaluationBatchOf(plan: LoweringPlan): number | undefined {
  const product = Object.keys(plan).find((key) => key.startsWith("inference "))
  return product === undefined ? undefined : Number(/^inference (\d+)x/.exec(product)?.[1])
}

/**
 * How networks are evaluated: what the settings leave open is measured, unless they ask for fixed choices or bring a plan,
 * which fits the batch that it was made for.
 */
async function settleEvaluation(
  { engine }: RunConfig,
  learner: Learner,
  options: MeasureOptions,
): Promise<EvaluationChoice> {
  const { lowerings, evaluationBatch } = engine
  const isOpen = evaluationBatch === "measured"
  if (lowerings === "measured") {
    return await chooseEvaluation(learner, isOpen ? options : { ...options, batch: evaluationBatch })
  }
  const ofPlan = isOpen && lowerings !== "fixed" ? evaluationBatchOf(lowerings) : undefined
  return { batch: ofPlan ?? evaluationOf({ engine }).evaluationBatch, plan: fixedPlan }
}

/** A comparison of strategies is worth its while without a file of the network, but nobody should learn of that at its end. */
function tellUnexportable(
  learner: Learner,
  { network }: TrainingSpec,
  dataset: AnyDataset,
  say: (line: string) => void,
): void {
  try {
    requireExportable(learner, network.specs, dataset)
  } catch (error) {
    if (!(error instanceof LearnlossError) || !error.code.startsWith("EXPORT_")) throw error
    say(`What this run trains cannot be written by \`learnloss export\`: ${error.message}`)
  }
}
