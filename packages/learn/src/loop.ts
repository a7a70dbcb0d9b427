import type { RunConfig, StrategyName } from "@learnloss/contract"
import { InternalError } from "@learnloss/engine"
import type { ClassificationDataset } from "./data/dataset.ts"
import type { LoopEvent, TrialRecorder } from "./events.ts"

export interface TrialOptions {
  /** Resolved: `engine.threads` and `engine.lowerings` hold what `resolveEngine` chose. */
  readonly config: RunConfig
  readonly dataset: ClassificationDataset
  readonly strategy: StrategyName
  /** Counts from 1. */
  readonly trial: number
  readonly recorder: TrialRecorder
  readonly emit: (event: LoopEvent) => void
  /** When it aborts, training saves a checkpoint and the trial ends with an `INTERRUPTED` error. */
  readonly signal: AbortSignal
}

/** Runs all remaining cycles of one strategy in one trial. */
export async function runTrial(_options: TrialOptions): Promise<void> {
  throw new InternalError("not written yet")
}

/** Chooses the thread count and measures lowerings, where the settings leave that open. */
export async function resolveEngine(_config: RunConfig, _dataset: ClassificationDataset): Promise<RunConfig> {
  throw new InternalError("not written yet")
}
