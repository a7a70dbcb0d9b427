import { type FitSettings, lossModuleSchema, trainingSchema } from "@learnloss/contract"
import {
  cacheFolder,
  compileTrainStep,
  createRng,
  fixedPlan,
  type LoweringPlan,
  measureTrainingPlan,
  openMeasurements,
  type Placement,
  requireRunnablePlan,
  type SessionOptions,
} from "@learnloss/engine"
import type { ClassificationDataset } from "./data/dataset.ts"
import { type ExportedData, exportNetwork, requireExportable } from "./export.ts"
import { type ImportedNetwork, openImported } from "./models/imported/open.ts"
import { machineOf } from "./resolve-run.ts"
import { classification } from "./tasks/classification.ts"
import { type EvaluateOptions, evaluateSamples } from "./training/evaluate.ts"
import { throwIfAborted } from "./training/interruption.ts"
import { buildTraining, type Learner } from "./training/learner.ts"
import { stepsOfCycle } from "./training/moments.ts"
import { openBatches } from "./training/open-batches.ts"
import { lift, rankingAccuracy } from "./training/ranking-metrics.ts"
import { startCycle } from "./training/start-cycle.ts"
import { type StepReport, trainCycle } from "./training/train-cycle.ts"

export interface FitOptions {
  readonly dataset: ClassificationDataset
  /** Steps of the whole training. */
  readonly steps: number
  /** Folder of checkpoints; training goes on from one that is there. */
  readonly checkpointFolder: string
  readonly signal: AbortSignal
  /** Told once, before the first step. */
  readonly onStart: (start: FitStart) => void
  readonly onStep: (report: StepReport) => void
  readonly onEvaluate: (done: number, total: number) => void
  /** Told how many of the products that have to be measured were. */
  readonly onMeasure?: (done: number, total: number) => void
  readonly onNotice?: (text: string) => void
  /** Folder of caches; `$LEARNLOSS_CACHE` or its default where it is left out. */
  readonly cache?: string
}

export interface FitStart {
  readonly network: ImportedNetwork
  /** Needed to go on to the same bits. */
  readonly plan: LoweringPlan
  readonly fromStep: number
  /** Which nodes of the step another device than the processor computes. */
  readonly placement: Placement | null
}

/** How the trained network does on the test images. */
export interface FitMeasures {
  readonly accuracy: number
  readonly testLoss: number
  readonly rankingAccuracy: number | null
  /** The same for plain confidence. */
  readonly confidenceRankingAccuracy: number | null
  readonly lift: number | null
}

export interface Fitted {
  readonly measures: FitMeasures
  /** The trained network and its loss module as an ONNX model. */
  readonly model: Uint8Array
}

/**
 * Trains a network from a file on all images of a data set, with the loss module beside it.
 *
 * @throws LearnlossError what opening the network throws, what writing it would throw, `LOSS_NOT_FINITE`, `INTERRUPTED`,
 * `CHECKPOINT_OF_ANOTHER_MODEL`
 */
export async function fitNetwork(settings: FitSettings, options: FitOptions): Promise<Fitted> {
  const { dataset, steps, checkpointFolder, signal, onStart, onStep } = options
  const machine = machineOf({ engine: settings })
  const task = classification(dataset.classNames)
  const network = await openImported(settings, { imageShape: dataset.imageShape, classes: dataset.classNames.length })
  const learner: Learner = {
    model: network.model,
    task,
    imageShape: dataset.imageShape,
    strategyTraining: {
      // With a weight of 0 the network is trained as if alone, but the module still learns to rank its losses.
      lossModule: settings.lossWeight === 0 ? "detached" : "joint",
      objective: "ranking",
      readsOutputs: settings.readsOutputs,
    },
    config: configOf(settings, steps),
  }
  const { training } = learner.config
  const spec = buildTraining(learner, training.batch)
  requireExportable(learner, spec.network.specs, dataset)
  const plan = await planOf(settings, learner, machine, options)
  await requireRunnablePlan(plan, machine)
  const trainStep = await compileTrainStep(spec, plan, machine)
  const { batches, release } = await openBatches({ learner, dataset, augmentation: settings.augment, ...machine })
  try {
    const rng = createRng(settings.seed)
    const progress = await startCycle({
      trainStep,
      plan: trainStep.plan,
      specs: spec.network.specs,
      checkpointFolder,
      cycle: 1,
      steps,
      startFrom: "fresh",
      trialRng: rng,
      cycleRng: rng,
    })
    onStart({ network, plan, fromStep: progress.step, placement: trainStep.placement })
    await trainCycle({
      trainStep,
      plan: trainStep.plan,
      batches,
      labeled: dataset.train.ids.map((_, position) => position),
      batch: training.batch,
      progress,
      rng,
      order: settings.shuffle ? "shuffled" : "as-read",
      noise: spec.network.noiseInputs,
      checkpointFolder,
      checkpointSeconds: training.checkpointSeconds,
      signal,
      onStep,
      where: settings.onnx,
    })
    const { parameters: weights } = await trainStep.state()
    const measures = await measure({ learner, weights, batches, ...machine, signal }, options)
    return { measures, model: exportNetwork(learner, weights, dataset satisfies ExportedData) }
  } finally {
    await trainStep.release()
    await release()
  }
}

function configOf(settings: FitSettings, steps: number): Learner["config"] {
  const { batch, learningRate, momentum, weightDecay, schedule, margin, stopGradientAt, lossWeight } = settings
  return {
    training: trainingSchema.parse({ steps, batch, learningRate, momentum, weightDecay, schedule }),
    lossModule: { ...lossModuleSchema.parse({ margin, stopGradientAt }), weight: lossWeight === 0 ? 1 : lossWeight },
  }
}

/** Measuring adds the gradients to a graph, so it is given one of its own. */
async function planOf(
  { lowerings }: FitSettings,
  learner: Learner,
  machine: SessionOptions,
  { onMeasure, onNotice, signal, cache = cacheFolder() }: FitOptions,
): Promise<LoweringPlan> {
  if (lowerings !== "measured") return lowerings === "fixed" ? fixedPlan : lowerings
  return await measureTrainingPlan(buildTraining(learner, learner.config.training.batch), {
    ...machine,
    measurements: openMeasurements({ folder: cache, session: machine, ...(onNotice && { say: onNotice }) }),
    onProgress(done, total) {
      throwIfAborted(signal, "measuring how products are computed")
      onMeasure?.(done, total)
    },
  })
}

/** Training steps of all: with epochs, every image is seen that often, and the last batch is filled up. */
export function stepsToFit({ steps, epochs, batch }: FitSettings, images: number): number {
  return stepsOfCycle({ steps: steps ?? undefined, epochs: epochs ?? undefined, batch }, images)
}

async function measure(
  network: Omit<EvaluateOptions, "split" | "positions" | "wanted" | "onProgress">,
  { dataset, onEvaluate }: Pick<FitOptions, "dataset" | "onEvaluate">,
): Promise<FitMeasures> {
  const { test } = dataset
  const predictions: unknown[] = []
  const evaluated = await evaluateSamples({
    ...network,
    split: "test",
    onPrediction: (prediction) => predictions.push(prediction),
    positions: test.ids.map((_, position) => position),
    wanted: ["prediction", "targetLoss", "unconfidence", "predictedLoss"],
    onProgress: onEvaluate,
  })
  const losses = evaluated.targetLoss.data
  const predicted = evaluated.predictedLoss.data
  return {
    accuracy: network.learner.task.evaluate(predictions, test.targets).accuracy as number,
    testLoss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
    rankingAccuracy: rankingAccuracy(predicted, losses),
    confidenceRankingAccuracy: rankingAccuracy(evaluated.unconfidence.data, losses),
    lift: lift(predicted, losses),
  }
}
