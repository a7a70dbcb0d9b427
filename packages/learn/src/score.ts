import type { ScoringPrecision } from "@learnloss/contract"
import type { Device, LoweringPlan, Rng, TensorMap } from "@learnloss/engine"
import type { AnyDataset } from "./data/dataset.ts"
import { compareWithFloat32, type Int8Fields } from "./scoring/compare.ts"
import { calibrateInt8, type Int8Evaluation } from "./scoring/int8.ts"
import { createPace } from "./scoring/pace.ts"
import type { Matrix, SignalName, Signals } from "./strategies/strategy.ts"
import type { BatchMaker } from "./training/batches.ts"
import { evaluateSamples } from "./training/evaluate.ts"
import type { EvaluatedName, Learner } from "./training/learner.ts"

/** A trained network and how to run it. */
export interface TrainedNetwork {
  readonly learner: Learner
  readonly weights: TensorMap
  readonly batches: BatchMaker
  readonly threads: number
  readonly device: Device
  readonly evaluationBatch?: number
  readonly plan?: LoweringPlan
  readonly signal: AbortSignal
  /** Is told for how many seconds the network waited for images. */
  readonly onWait?: ((seconds: number) => void) | undefined
}

export interface ScoreOptions extends TrainedNetwork {
  readonly dataset: AnyDataset
  readonly needs: readonly SignalName[]
  readonly candidates: readonly string[]
  /** Positions of the labelled samples. */
  readonly labeled: readonly number[]
  readonly precision: ScoringPrecision
  /** How many candidates will be selected. */
  readonly selected: number
  /** Decides on which images int8 is calibrated and compared with float32. */
  readonly rng: Rng
  readonly onProgress: (done: number, total: number) => void
}

/** Signals of all candidates, and, where they were computed in int8, how that went. */
export interface Scored {
  readonly signals: Signals
  readonly int8?: Int8Fields
}

const evaluatedFor = {
  uncertainty: "uncertainty",
  predictedLoss: "predictedLoss",
  embedding: "embedding",
} as const satisfies Partial<Record<SignalName, EvaluatedName>>

/**
 * Computes exactly the signals that a strategy needs, for every candidate. In int8 a random part of them is computed in
 * float32 too, to tell how alike the two order candidates.
 *
 * @throws LearnlossError `INTERRUPTED`, `INT8_NOTHING`
 */
export async function scoreCandidates(options: ScoreOptions): Promise<Scored> {
  const { dataset, needs, candidates, labeled, precision, selected, rng, onProgress, ...network } = options
  const positionOf = new Map(dataset.train.ids.map((id, position) => [id, position]))
  const positions = candidates.map((id) => positionOf.get(id) as number)
  const extra = needs.includes("labeledEmbedding") ? labeled.length : 0
  const total = positions.length + extra
  const wanted = needs.flatMap((need) =>
    need in evaluatedFor ? [evaluatedFor[need as keyof typeof evaluatedFor]] : [],
  )
  if (wanted.length === 0) return { signals: { ids: candidates } }
  const start = performance.now()
  const shared = { ...network, split: "train" as const, wanted }
  const int8 = precision === "float32" ? undefined : await calibrateInt8({ ...shared, positions: labeled }, rng)
  const calibrated = performance.now()
  const pace = createPace()
  const evaluate = async (
    chosen: readonly number[],
    report: (done: number) => void,
    evaluation: Int8Evaluation | undefined = int8,
  ): Promise<Partial<Record<EvaluatedName, Matrix>>> =>
    evaluateSamples({
      ...shared,
      positions: chosen,
      onProgress: report,
      ...(evaluation === undefined ? {} : { rewrite: evaluation.rewrite }),
    })
  const evaluated = await evaluate(positions, (done) => {
    pace.note(done)
    onProgress(done, total)
  })
  const labeledEmbedding =
    extra === 0 ? undefined : (await evaluate(labeled, (done) => onProgress(positions.length + done, total))).embedding
  const signals: Signals = {
    ids: candidates,
    ...(evaluated.uncertainty ? { uncertainty: evaluated.uncertainty.data } : {}),
    ...(evaluated.predictedLoss ? { predictedLoss: evaluated.predictedLoss.data } : {}),
    ...(evaluated.embedding ? { embedding: evaluated.embedding } : {}),
    ...(labeledEmbedding ? { labeledEmbedding } : {}),
  }
  if (int8 === undefined) return { signals }
  const compared = await compareWithFloat32({ shared, signals, positions, labeled, selected, rng })
  return {
    signals,
    int8: {
      int8: { ...int8.counts, ...compared.agreement },
      int8MsPerImage: pace.msPerImage(),
      float32MsPerImage: compared.msPerImage,
      int8ExtraSeconds: (calibrated - start + compared.ms) / 1000,
    },
  }
}
