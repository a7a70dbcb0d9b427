import type { RunConfig } from "@learnloss/contract"
import {
  initializeParameters,
  LearnlossError,
  type LoweringPlan,
  loadCheckpoint,
  type ParameterSpec,
  type Rng,
  requireWeightsOf,
  type TensorMap,
  type TrainingState,
  type TrainStep,
} from "@learnloss/engine"
import type { CycleProgress } from "./train-cycle.ts"

export interface StartCycleOptions {
  readonly trainStep: TrainStep
  /** How products are computed, in training and in evaluation: a checkpoint must have been made by the same plan. */
  readonly plan: LoweringPlan
  readonly specs: readonly ParameterSpec[]
  readonly checkpointFolder: string
  readonly cycle: number
  /** Steps of the cycle. */
  readonly steps: number
  readonly startFrom: RunConfig["training"]["startFrom"]
  /** Streams of the trial and of this cycle: with fresh weights every cycle draws its own, else the trial has one draw. */
  readonly trialRng: Rng
  readonly cycleRng: Rng
}

/**
 * Puts the state into the training step that a cycle starts from, or where an earlier process left it, and says how far
 * that was. Momentum starts anew in every cycle.
 *
 * @throws LearnlossError `CHECKPOINT_OF_ANOTHER_MODEL`, `CHECKPOINT_OF_ANOTHER_PLAN`, `CHECKPOINT_BROKEN`, and `CHECKPOINT_MISSING` when a cycle should
 * continue weights that are not there
 */
export async function startCycle(options: StartCycleOptions): Promise<CycleProgress> {
  const { trainStep, plan, specs, checkpointFolder, cycle, steps, startFrom, trialRng, cycleRng } = options
  const saved = loadCheckpoint<CycleProgress>(checkpointFolder)
  if (saved !== undefined) requireWeightsOf(specs, saved.state.parameters, checkpointFolder)
  if (saved?.meta.cycle === cycle) {
    requireSamePlan(saved.meta.plan, plan, checkpointFolder)
    await trainStep.load(saved.state)
    return saved.meta
  }
  if (startFrom === "fresh" || cycle === 1) {
    const stream = startFrom === "fresh" ? cycleRng : trialRng
    await trainStep.load(weightsOnly(initializeParameters(specs, stream.child("weights"))))
  } else if (saved !== undefined && saved.meta.cycle === cycle - 1 && saved.meta.step === saved.meta.steps) {
    requireSamePlan(saved.meta.plan, plan, checkpointFolder)
    await trainStep.load(weightsOnly(saved.state.parameters))
  } else {
    throw new LearnlossError("CHECKPOINT_MISSING", {
      where: checkpointFolder,
      expected: `the weights at the end of cycle ${cycle - 1}, from which cycle ${cycle} goes on`,
      got: saved === undefined ? "no checkpoint" : `a checkpoint of cycle ${saved.meta.cycle}, step ${saved.meta.step}`,
      fix: "Restore the folder of checkpoints, or start the run anew with another --out.",
    })
  }
  return { cycle, step: 0, steps, lateLossSum: 0, trainSeconds: 0, dataWaitSeconds: 0 }
}

/** Another way to compute a product rounds differently: the run would go on, but nobody could make it again. */
function requireSamePlan(saved: LoweringPlan | undefined, plan: LoweringPlan, where: string): void {
  if (saved === undefined) return
  const differing = Object.keys({ ...saved, ...plan }).find((product) => saved[product] !== plan[product])
  if (differing === undefined) return
  throw new LearnlossError("CHECKPOINT_OF_ANOTHER_PLAN", {
    where: `${where}, ${differing}`,
    expected: `the lowering ${plan[differing] ?? "of another graph"}, as engine.lowerings says`,
    got: `a checkpoint that was trained with ${saved[differing] ?? "another graph"}`,
    fix: "Put engine.lowerings back, and resume with the version of learnloss that the run was started with.",
  })
}

function weightsOnly(parameters: TensorMap): TrainingState {
  return { parameters, optimizer: new Map() }
}
