import type { StrategyName } from "@learnloss/contract"
import { saveCheckpoint, type TrainingState } from "@learnloss/engine"
import type { Place, SharedCycle } from "../events.ts"
import type { CycleProgress } from "./train-cycle.ts"

/** A first cycle at its end, ready for others to go on from. */
export interface FinishedCycle {
  readonly state: TrainingState
  readonly progress: CycleProgress
  /** Who trained it. */
  readonly strategy: StrategyName
}

/**
 * Leaves a finished first cycle as checkpoint of each strategy that goes on from it. They get no time: that counts once,
 * for the strategy that trained.
 *
 * @throws LearnlossError `FILE_NOT_WRITTEN`
 */
export function shareCycle({ state, progress, strategy }: FinishedCycle, folders: readonly string[]): void {
  const meta: CycleProgress = { ...progress, trainSeconds: 0, dataWaitSeconds: 0, sharedWith: strategy }
  for (const folder of folders) saveCheckpoint(folder, { state, meta })
}

/** What a strategy records of a first cycle that another trained and evaluated. */
export function adoptRecords({ record, predictions }: SharedCycle, place: Place, sharedWith: StrategyName) {
  const {
    selectSeconds: _,
    scoreWaitSeconds: _wait,
    int8: _int8,
    int8MsPerImage: _int8Ms,
    float32MsPerImage: _float32Ms,
    int8ExtraSeconds: _extra,
    ...measured
  } = record
  return {
    record: { ...measured, ...place, trainSeconds: 0, dataWaitSeconds: 0, evaluateSeconds: 0, sharedWith },
    predictions: { ...predictions, ...place },
  }
}
