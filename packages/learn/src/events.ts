import type { CycleRecord, ModuleTraining, PredictionsRecord, SelectionRecord, StrategyName } from "@learnloss/contract"
import type { Placement } from "@learnloss/engine"

/** Where in a run something happens. Trials and cycles count from 1. */
export interface Place {
  readonly strategy: StrategyName
  readonly trial: number
  readonly cycle: number
}

/** What the loop tells whoever watches it; nothing depends on anyone listening. */
export type LoopEvent =
  /** Before the first training on another device than the processor: what of the step it computes. */
  | (Place & { readonly type: "placed"; readonly placement: Placement })
  | (Place & {
      readonly type: "cycle-started"
      readonly labels: number
      readonly steps: number
      /** Step that training continues from; 0 unless a checkpoint was found. */
      readonly fromStep: number
      readonly lossModule: ModuleTraining
      /** The strategy that trained this cycle already, so that no step is left. */
      readonly sharedWith?: StrategyName | undefined
    })
  | (Place & {
      readonly type: "step"
      /** Steps done, 1..steps. */
      readonly step: number
      readonly steps: number
      readonly loss: number
      /** The module's loss; null when no module is trained. */
      readonly lossPrediction: number | null
      readonly learningRate: number
      /** Images a second over the last steps. */
      readonly imagesPerSecond: number
    })
  | (Place & { readonly type: "evaluating"; readonly done: number; readonly total: number })
  | (Place & { readonly type: "scoring"; readonly done: number; readonly total: number })
  | (Place & { readonly type: "cycle-finished"; readonly record: CycleRecord })

/** An image that was picked, for pictures of a selection. */
export interface PickedImage {
  readonly id: string
  readonly score: number | null
}

/** Everything that one cycle leaves behind. */
export interface CycleResult {
  readonly record: CycleRecord
  /** What is labelled next; null after the last cycle. */
  readonly selection: SelectionRecord | null
  readonly predictions: PredictionsRecord
  /** The first images of the selection, highest score first. */
  readonly picked: readonly PickedImage[]
}

/** A first cycle as the strategy recorded it that trained it for all that train alike. */
export type SharedCycle = Pick<CycleResult, "record" | "predictions">

/** Keeps what one strategy does in one trial, so that a killed run goes on where it was. */
export interface TrialRecorder {
  /** What earlier processes finished, in order; the loop continues after it. */
  readonly finished: { readonly cycles: readonly CycleRecord[]; readonly selections: readonly SelectionRecord[] }
  /** Folder for checkpoints of this strategy and trial. */
  readonly checkpointFolder: string
  /** What is on record of the first cycle that this strategy shares; its weights stand in the checkpoint folder. */
  readonly shared?: SharedCycle | undefined
  /** Checkpoint folders of the strategies that go on from the first cycle of this one. */
  readonly followers?: readonly string[]
  recordInitial(selection: SelectionRecord): void
  recordCycle(result: CycleResult): void
}
