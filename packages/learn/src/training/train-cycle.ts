import { LearnlossError, type Rng, saveCheckpoint, type TrainStep } from "@learnloss/engine"
import { BatchStream } from "../data/batch-stream.ts"
import type { BatchMaker } from "./batches.ts"
import { throwIfAborted } from "./interruption.ts"
import { observedNames } from "./learner.ts"

/** What training needs to go on from a checkpoint as if it had never stopped. */
export interface CycleProgress {
  readonly cycle: number
  /** Steps done. */
  readonly step: number
  readonly steps: number
  /** Sum of the mean target losses of the last tenth of the steps. */
  readonly lateLossSum: number
  readonly trainSeconds: number
  readonly dataWaitSeconds: number
}

/** One step as it is reported. */
export interface StepReport {
  readonly step: number
  readonly loss: number
  readonly lossPrediction: number | null
  readonly learningRate: number
  readonly imagesPerSecond: number
}

export interface TrainCycleOptions<Target> {
  readonly trainStep: TrainStep
  readonly batches: BatchMaker<Target>
  /** Positions of the labelled samples in the training split. */
  readonly labeled: readonly number[]
  readonly batch: number
  /** Where this cycle is, from a checkpoint or from the start. */
  readonly progress: CycleProgress
  readonly rng: Rng
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
export async function trainCycle<Target>(options: TrainCycleOptions<Target>): Promise<CycleProgress> {
  const { trainStep, batches, labeled, batch, rng, checkpointFolder, signal, where } = options
  const { cycle, steps } = options.progress
  const stream = new BatchStream(labeled.length, batch, rng.child("order"))
  const feedsOf = (step: number) => {
    const positions = stream.positions(step).map((position) => labeled[position] as number)
    return batches.training(positions, rng.child(`augment/${step}`))
  }
  let { step, lateLossSum, trainSeconds, dataWaitSeconds } = options.progress
  const progress = (): CycleProgress => ({ cycle, step, steps, lateLossSum, trainSeconds, dataWaitSeconds })
  const save = async () => saveCheckpoint(checkpointFolder, { state: await trainStep.state(), meta: progress() })
  const start = performance.now() - trainSeconds * 1000
  let savedAt = performance.now()
  let feeds = step < steps ? feedsOf(step) : {}
  let lastStepAt = performance.now()
  let imagesPerSecond = 0
  while (step < steps) {
    const running = trainStep.run(feeds, step / steps)
    // Prepared while the step runs on its own thread.
    if (step + 1 < steps) feeds = feedsOf(step + 1)
    const preparedAt = performance.timeOrigin + performance.now()
    const { loss, learningRate, observed, finishedAt } = await running
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

/** Mean target loss over the last tenth of the steps. */
export function lateLoss({ lateLossSum, steps }: CycleProgress): number {
  return lateLossSum / (steps - lateFrom(steps))
}

function notFinite(where: string, step: number, loss: number, learningRate: number): LearnlossError {
  return new LearnlossError("LOSS_NOT_FINITE", {
    where: `${where}, step ${step + 1}`,
    expected: "a finite loss",
    got: `${loss} at learning rate ${learningRate}`,
    fix: "Lower training.learningRate; the last checkpoint and all finished cycles are kept.",
  })
}
