import type { CycleRecord, PredictionsRecord } from "@learnloss/contract"
import { LearnlossError, type Rng } from "@learnloss/engine"
import type { AnyDataset } from "./data/dataset.ts"
import type { Place } from "./events.ts"
import type { TrainedNetwork } from "./score.ts"
import type { Matrix } from "./strategies/strategy.ts"
import { evaluateSamples } from "./training/evaluate.ts"
import { lift, rankingAccuracy } from "./training/ranking-metrics.ts"
import { type CycleProgress, lateLoss } from "./training/train-cycle.ts"

export interface ExamineOptions extends TrainedNetwork {
  readonly dataset: AnyDataset
  readonly place: Place
  readonly trained: CycleProgress
  /** Positions of the labelled samples. */
  readonly labeled: readonly number[]
  /** Decides which test images the scatter plots show, the same in every cycle. */
  readonly sampleRng: Rng
  readonly onProgress: (done: number, total: number) => void
}

/** Test images whose losses are kept for plots. */
const keptPredictions = 500

/** Test images of which a detector's boxes are kept for pictures. */
const shownImages = 6

/** Measures a trained network on the test set: the task's metrics, and how well losses are ranked. */
export async function examineNetwork(options: ExamineOptions): Promise<{
  record: Omit<CycleRecord, "selectSeconds">
  predictions: PredictionsRecord
}> {
  const { dataset, place, trained, labeled, sampleRng, onProgress, ...network } = options
  const { task, strategyTraining } = network.learner
  const start = performance.now()
  const hasModule = strategyTraining.lossModule !== "none"
  const { test, train } = dataset
  const predictions: unknown[] = []
  const evaluated = await evaluateSamples({
    ...network,
    split: "test",
    positions: test.ids.map((_, position) => position),
    onPrediction: (prediction) => predictions.push(prediction),
    wanted: ["prediction", "targetLoss", "unconfidence", ...(hasModule ? (["predictedLoss"] as const) : [])],
    onProgress,
  })
  const targetLoss = evaluated.targetLoss.data
  requireFinite(
    evaluated,
    `${place.strategy}, trial ${place.trial}, cycle ${place.cycle}, after step ${trained.steps}, its last`,
    network.learner.config.training.learningRate,
  )
  const unconfidence = evaluated.unconfidence.data
  const predictedLoss = hasModule ? evaluated.predictedLoss.data : null
  const labeledTargets = labeled.map((position) => train.targets[position])
  const labelsPerClass = task.countClasses(labeledTargets)
  const labeledObjects = task.countObjects?.(labeledTargets)
  const kept = sampleRng.permutation(test.ids.length).slice(0, keptPredictions)
  const pick = (values: Float32Array) => kept.map((position) => values[position] as number)
  const found =
    task.objectsToShow &&
    kept.slice(0, shownImages).map((position) => ({
      id: test.ids[position] as string,
      objects: task.objectsToShow?.(predictions[position], test.targets[position]) ?? [],
    }))
  return {
    record: {
      ...place,
      labels: labeled.length,
      metrics: { ...task.evaluate(predictions, test.targets) },
      lossModule: strategyTraining.lossModule,
      rankingAccuracy: predictedLoss === null ? null : rankingAccuracy(predictedLoss, targetLoss),
      confidenceRankingAccuracy: rankingAccuracy(unconfidence, targetLoss),
      lift: predictedLoss === null ? null : lift(predictedLoss, targetLoss),
      confidenceLift: lift(unconfidence, targetLoss),
      trainLoss: lateLoss(trained),
      testLoss: targetLoss.reduce((sum, loss) => sum + loss, 0) / targetLoss.length,
      ...(labelsPerClass === undefined ? {} : { labelsPerClass }),
      ...(labeledObjects === undefined ? {} : { labeledObjects }),
      trainSeconds: trained.trainSeconds,
      dataWaitSeconds: trained.dataWaitSeconds,
      evaluateSeconds: (performance.now() - start) / 1000,
      ...(trained.sharedWith === undefined ? {} : { sharedWith: trained.sharedWith }),
    },
    predictions: {
      ...place,
      ids: kept.map((position) => test.ids[position] as string),
      predictedLoss: predictedLoss === null ? null : pick(predictedLoss),
      targetLoss: pick(targetLoss),
      ...(found === undefined ? {} : { found }),
    },
  }
}

/**
 * Weights that overflowed in the last steps show only here.
 *
 * @throws LearnlossError `LOSS_NOT_FINITE`
 */
function requireFinite(evaluated: Readonly<Record<string, Matrix>>, where: string, learningRate: number): void {
  for (const [name, { data }] of Object.entries(evaluated)) {
    const position = data.findIndex((value) => !Number.isFinite(value))
    if (position < 0) continue
    throw new LearnlossError("LOSS_NOT_FINITE", {
      where,
      expected: `finite values of ${name} on the test set`,
      got: `${data[position]} at learning rate ${learningRate}`,
      fix: "Lower the learning rate (training.learningRate, --lr); all finished cycles are kept.",
    })
  }
}
