import type { Device, TensorMap } from "@learnloss/engine"
import type { ClassificationDataset } from "./data/dataset.ts"
import type { Matrix, SignalName, Signals } from "./strategies/strategy.ts"
import type { BatchMaker } from "./training/batches.ts"
import { evaluateSamples } from "./training/evaluate.ts"
import type { EvaluatedName, Learner } from "./training/learner.ts"

/** A trained network and how to run it. */
export interface TrainedNetwork {
  readonly learner: Learner
  readonly weights: TensorMap
  readonly batches: BatchMaker<number>
  readonly threads: number
  readonly device: Device
  readonly signal: AbortSignal
}

export interface ScoreOptions extends TrainedNetwork {
  readonly dataset: ClassificationDataset
  readonly needs: readonly SignalName[]
  readonly candidates: readonly string[]
  /** Positions of the labelled samples. */
  readonly labeled: readonly number[]
  readonly onProgress: (done: number, total: number) => void
}

const evaluatedFor = {
  uncertainty: "uncertainty",
  predictedLoss: "predictedLoss",
  embedding: "embedding",
} as const satisfies Partial<Record<SignalName, EvaluatedName>>

/** Computes exactly the signals that a strategy needs, for every candidate. */
export async function scoreCandidates(options: ScoreOptions): Promise<Signals> {
  const { dataset, needs, candidates, labeled, onProgress, ...network } = options
  const positionOf = new Map(dataset.train.ids.map((id, position) => [id, position]))
  const positions = candidates.map((id) => positionOf.get(id) as number)
  const extra = needs.includes("labeledEmbedding") ? labeled.length : 0
  const total = positions.length + extra
  const wanted = needs.flatMap((need) =>
    need in evaluatedFor ? [evaluatedFor[need as keyof typeof evaluatedFor]] : [],
  )
  if (wanted.length === 0) return { ids: candidates }
  const evaluated: Partial<Record<EvaluatedName, Matrix>> = await evaluateSamples({
    ...network,
    samples: dataset.train,
    positions,
    wanted,
    onProgress: (done) => onProgress(done, total),
  })
  const labeledEmbedding =
    extra === 0
      ? undefined
      : (
          await evaluateSamples({
            ...network,
            samples: dataset.train,
            positions: labeled,
            wanted: ["embedding"],
            onProgress: (done) => onProgress(positions.length + done, total),
          })
        ).embedding
  return {
    ids: candidates,
    ...(evaluated.uncertainty ? { uncertainty: evaluated.uncertainty.data } : {}),
    ...(evaluated.predictedLoss ? { predictedLoss: evaluated.predictedLoss.data } : {}),
    ...(evaluated.embedding ? { embedding: evaluated.embedding } : {}),
    ...(labeledEmbedding ? { labeledEmbedding } : {}),
  }
}
