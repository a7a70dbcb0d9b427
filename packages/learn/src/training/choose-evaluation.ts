import type { RunConfig } from "@learnloss/contract"
import {
  type EvaluationChoice,
  fixedPlan,
  floatTensor,
  type LoweringPlan,
  type MeasureEvaluationOptions,
  measureEvaluation,
  type ParameterSpec,
  sizeOf,
} from "@learnloss/engine"
import { buildEvaluation, buildTraining, type Learner } from "./learner.ts"

/** Images that are evaluated at once where nothing was measured. */
export const defaultEvaluationBatch = 128

/** How a trained network is evaluated under resolved settings. */
export function evaluationOf({ engine }: Pick<RunConfig, "engine">): {
  readonly evaluationBatch: number
  readonly plan: LoweringPlan
} {
  return {
    evaluationBatch: engine.evaluationBatch === "measured" ? defaultEvaluationBatch : engine.evaluationBatch,
    plan: typeof engine.lowerings === "string" ? fixedPlan : engine.lowerings,
  }
}

/** Measures how a learner's network is evaluated fastest: images at once, and how their convolutions are computed. */
export function chooseEvaluation(learner: Learner, options: MeasureEvaluationOptions): Promise<EvaluationChoice> {
  const weights = anyWeights(buildTraining(learner, 2).network.specs)
  const hasModule = learner.strategyTraining.lossModule !== "none"
  const wanted = ["output", ...(hasModule ? (["predictedLoss"] as const) : [])] as const
  return measureEvaluation((batch) => buildEvaluation(learner, batch, weights, wanted), options)
}

/** Small numbers that are not zero, since products with zeros may be left out, and that stay far from the ends of float32. */
const anyWeight = 1e-3

function anyWeights(specs: readonly ParameterSpec[]) {
  return new Map(
    specs.map(({ name, shape }) => [name, floatTensor(shape, new Float32Array(sizeOf(shape)).fill(anyWeight))]),
  )
}
