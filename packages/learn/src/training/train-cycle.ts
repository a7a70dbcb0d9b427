import type { StrategyName } from "@learnloss/contract"
import {
  floatTensor,
  LearnlossError,
  type LoweringPlan,
  type Rng,
  saveCheckpoint,
  sizeOf,
  type TrainStep,
  type Value,
} from "@learnloss/engine"
import { BatchStream } from "../data/batch-stream.ts"
import type { BatchMaker, Feeds } from "./batches.ts"
import { throwIfAborted } from "./interruption.ts"
import { observedNames } from "./learner.ts"

/** What training needs to go on from a checkpoint as if it had never stopped. */
export interface CycleProgress {
  /** How products are computed, in training and in evaluation; absent in checkpoints from before this was kept. */
  readonly plan?: LoweringPlan
  readonly cycle: number
  /** Steps done. */
  readonly step: number
  readonly steps: number
  /** Sum of the mean target losses of the last tenth of the steps. */
  readonly lateLossSum: number
  readonly trainSeconds: number
  readonly dataWaitSeconds: number
  /** The strategy that trained this cycle, where another went on from its checkpoint. */
  readonly sharedWith?: StrategyName | undefined
}

/** One step as it is reported. */
export interface StepReport {
  readonly step: number
  readonly loss: number
  readonly lossPrediction: number | null
  readonly learningRate: number
  readonly imagesPerSecond: number
}

export interface TrainCycleOptions {
  readonly trainStep: TrainStep
  /** How products are computed, in training and in evaluation: written into the checkpoints. */
  readonly plan: LoweringPlan
  readonly batches: BatchMaker
  /** Positions of the labelled samples in the training split. */
  readonly labeled: readonly number[]
  readonly batch: number
  /** Where this cycle is, from a checkpoint or from the start. */
  readonly progress: CycleProgress
  readonly rng: Rng
  /** `as-read` goes through the samples in their order, again and again. */
  readonly order?: "shuffled" | "as-read"
  /** Inputs that are fed uniform random numbers at every step. */
  readonly noise: readonly Value[]
  readonly checkpointFolder: string
  readonly checkpointSeconds: number
  readonly signal: AbortSignal
  readonly onStep: (report: StepReport) => void
  /** Names the place in error messages. */
  readonly where: string
}

/** First of the steps whose losses make up the training loss on record: the last tenth. */
const lateFrom = (steps: number) => Math.floor(steps * 0.9)

/**
 * Trains one cycle to its end. The batch and the augmentation of a step depend on the generator and the step's number
 * alone, so training that goes on from a checkpoint gives the same bits.
 *
 * @throws LearnlossError `LOSS_NOT_FINITE`, `INTERRUPTED` (after saving a checkpoint), `FILE_NOT_WRITTEN`
 */
export async function trainCycle(options: TrainCycleOptions): Promise<CycleProgress> {
  const { trainStep, batches, labeled, batch, rng, noise, checkpointFolder, signal, where } = options
  const { cycle, steps } = options.progress
  // Its checkpoint says more than could be told here, such as who trained it.
  if (options.progress.step === steps) return options.progress
  const stream = new BatchStream(labeled.length, batch, rng.child("order"))
  const inOrder = (step: number) => Array.from({ length: batch }, (_, index) => (step * batch + index) % labeled.length)
  const feedsOf = async (step: number): Promise<Feeds> => {
    const chosen = options.order === "as-read" ? inOrder(step) : stream.positions(step)
    const positions = chosen.map((position) => labeled[position] as number)
    const images = await batches.training(positions, rng.child(`augment/${step}`))
    return noise.length === 0 ? images : { ...images, ...drawNoise(noise, rng.child(`noise/${step}`)) }
  }
  let { step, lateLossSum, trainSeconds, dataWaitSeconds } = options.progress
  const progress = (): CycleProgress => ({
    plan: options.plan,
    cycle,
    step,
    steps,
    lateLossSum,
    trainSeconds,
    dataWaitSeconds,
  })
  const save = async () => saveCheckpoint(checkpointFolder, { state: await trainStep.state(), meta: progress() })
  const start = performance.now() - trainSeconds * 1000
  let savedAt = performance.now()
  const firstAt = performance.now()
  let feeds: Feeds = await feedsOf(step)
  dataWaitSeconds += (performance.now() - firstAt) / 1000
  let lastStepAt = performance.now()
  let imagesPerSecond = 0
  while (step < steps) {
    const running = trainStep.run(feeds, step / steps)
    // Prepared while the step runs on its own thread. Awaited together, so that neither fails unheard.
    const preparing = step + 1 < steps ? prepared(feedsOf(step + 1)) : { feeds, at: 0 }
    const [next, { loss, learningRate, observed, finishedAt }] = await Promise.all([preparing, running])
    feeds = next.feeds
    const preparedAt = next.at
    dataWaitSeconds += Math.max(0, preparedAt - finishedAt) / 1000
    if (!Number.isFinite(loss)) throw notFinite(where, step, loss, learningRate)
    const targetLoss = observed[observedNames.targetLoss]?.[0] as number
    if (step >= lateFrom(steps)) lateLossSum += targetLoss
    step++
    const now = performance.now()
    trainSeconds = (now - start) / 1000
    // A moving average over about twenty steps, so that the figure can be read.
    const rate = (1000 * batch) / (now - lastStepAt)
    imagesPerSecond = imagesPerSecond === 0 ? rate : 0.95 * imagesPerSecond + 0.05 * rate
    lastStepAt = now
    const lossPrediction = observed[observedNames.lossPrediction]?.[0] ?? null
    options.onStep({ step, loss: targetLoss, lossPrediction, learningRate, imagesPerSecond })
    if (signal.aborted) {
      await save()
      throwIfAborted(signal, where)
    }
    if (step < steps && now - savedAt > options.checkpointSeconds * 1000) {
      await save()
      savedAt = performance.now()
    }
  }
  await save()
  return progress()
}

/** Feeds, and when they were ready: milliseconds of `performance.timeOrigin + performance.now()`. */
async function prepared(feeds: Promise<Feeds>): Promise<{ feeds: Feeds; at: number }> {
  return { feeds: await feeds, at: performance.timeOrigin + performance.now() }
}

/** Uniform random numbers in [0, 1), from a stream of its own for each input. */
export function drawNoise(noise: readonly Value[], rng: Rng): Feeds {
  return Object.fromEntries(
    noise.map(({ name, shape }) => {
      const stream = rng.child(name)
      const numbers = Float32Array.from({ length: sizeOf(shape) }, () => stream.float())
      return [name, floatTensor(shape, numbers)]
    }),
  )
}

/** Mean target loss over the last tenth of the steps. */
export function lateLoss({ lateLossSum, steps }: CycleProgress): number {
  return lateLossSum / (steps - lateFrom(steps))
}

function notFinite(where: string, step: number, loss: number, learningRate: number): LearnlossError {
  return new LearnlossError("LOSS_NOT_FINITE", {
    where: `${where}, step ${step + 1}`,
    expected: "a finite loss",
    got: `${loss} at learning rate ${learningRate}`,
    fix: "Lower the learning rate (training.learningRate, --lr); the last checkpoint and all finished cycles are kept.",
  })
}
