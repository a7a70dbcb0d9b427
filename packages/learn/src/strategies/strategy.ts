import type { ModuleTraining, ObjectiveName } from "@learnloss/contract"
import type { Rng } from "@learnloss/engine"

/** What can be computed for every candidate; the loop computes exactly what a strategy names. */
export const signalNames = ["uncertainty", "predictedLoss", "embedding", "labeledEmbedding"] as const
export type SignalName = (typeof signalNames)[number]

/** Rows of equal length. */
export interface Matrix {
  readonly rows: number
  readonly columns: number
  /** Row-major, float32. */
  readonly data: Float32Array
}

/** What is known of the candidates. A strategy may only read what its `needs` names. */
export interface Signals {
  /** Candidates to choose from. */
  readonly ids: readonly string[]
  /** Entropy of the prediction, per candidate. */
  readonly uncertainty?: Float32Array
  /** Output of the loss module, per candidate. */
  readonly predictedLoss?: Float32Array
  /** Features of the candidates, one row each. */
  readonly embedding?: Matrix
  /** Features of what is labelled already. */
  readonly labeledEmbedding?: Matrix
}

/** What a strategy labels next: unique ids, the most wanted first. */
export interface Selection {
  readonly ids: readonly string[]
  /** Higher was wanted more, one per id; null where chance decided. */
  readonly scores: readonly number[] | null
}

/** How the network is trained for a strategy. */
export interface StrategyTraining {
  readonly lossModule: ModuleTraining
  readonly objective: ObjectiveName
  /** Whether the module also reads statistics of the network's output. */
  readonly readsOutputs: boolean
}

/** A rule that decides which candidates are labelled next. */
export interface Strategy {
  readonly needs: readonly SignalName[]
  readonly training: StrategyTraining
  /** Chooses n of the candidates; ties are broken by the generator. */
  select(signals: Signals, n: number, rng: Rng): Selection
}

/** Training of strategies that do not read predicted losses: as in the paper, the module is left out. */
export const withoutModule: StrategyTraining = { lossModule: "none", objective: "ranking", readsOutputs: false }
