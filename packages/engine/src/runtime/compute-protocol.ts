import type { Tensor } from "../graph/tensor.ts"
import type { SessionOptions } from "./ort.ts"
import type { Placement } from "./placement.ts"
import type { StepReports, TrainingState, TrainStepLayout } from "./resident-step.ts"

/** Calls that the compute thread answers: arguments and result of each. */
export type ComputeCalls = {
  openStep: [{ model: Uint8Array; options: SessionOptions; layout: TrainStepLayout }, { id: number }]
  runStep: [{ id: number; feeds: Readonly<Record<string, Tensor>>; progress: number }, StepReports]
  stateOfStep: [{ id: number }, TrainingState]
  loadStep: [{ id: number; state: TrainingState }, null]
  openSession: [{ model: Uint8Array; options: SessionOptions }, { id: number }]
  runSession: [
    { id: number; feeds: Readonly<Record<string, Tensor>> },
    { outputs: Record<string, Tensor>; finishedAt: number },
  ]
  /** Of a step or a session. */
  placementOf: [{ id: number }, Placement | null]
  providers: [null, readonly string[]]
  release: [{ id: number }, null]
}
