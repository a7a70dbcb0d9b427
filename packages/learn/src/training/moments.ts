import type { Moment, RunConfig } from "@learnloss/contract"

/** A moment as a share of training: `60%` is 0.6, epoch 120 of 200 is 0.6, step 300 of 500 is 0.6. */
export function shareOfTraining(
  moment: Moment,
  { epochs, steps }: Pick<RunConfig["training"], "epochs" | "steps">,
): number {
  if (typeof moment === "string") return Number.parseFloat(moment) / 100
  return moment / (epochs ?? steps ?? 1)
}

/** Training steps of a cycle: with epochs, every labelled sample is seen that often, and the last batch is filled up. */
export function stepsOfCycle(
  { epochs, steps, batch }: Pick<RunConfig["training"], "batch" | "epochs" | "steps">,
  labels: number,
): number {
  return steps ?? (epochs ?? 1) * Math.ceil(labels / batch)
}
