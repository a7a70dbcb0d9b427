import type { RunConfig } from "@learnloss/contract"
import { LearnlossError } from "@learnloss/engine"
import { parseDataSpec, strategyTraining } from "@learnloss/learn"
import type { Problem } from "./config-issues.ts"

/** Images that a run labels by its last training. */
function labelsNeeded({ initial, perCycle, cycles }: RunConfig["budget"]): number {
  return initial + perCycle * (cycles - 1)
}

/** What is wrong with settings that each fit the schema but not one another. */
export function findContradictions(config: RunConfig): Problem[] {
  const { budget, pool, strategies } = config
  const problems: Problem[] = [...lateMoments(config)]
  // What these refuse needs no data to be opened, let alone fetched.
  tellRefusal(problems, () => parseDataSpec(config.data))
  for (const strategy of strategies) tellRefusal(problems, () => strategyTraining(strategy, config))
  if (pool.size !== null && labelsNeeded(budget) > pool.size)
    problems.push(tooManyLabels(budget, pool.size, "pool.size"))
  if (budget.candidates !== null && budget.cycles > 1 && budget.candidates < budget.perCycle) {
    problems.push({
      where: "budget.candidates",
      expected: `at least budget.perCycle (${budget.perCycle}), since each cycle's labels are picked among the candidates`,
      got: String(budget.candidates),
    })
  }
  if (config.model.onnx === undefined && [config.freeze].flat().length > 0) {
    problems.push({
      where: "freeze",
      expected: "model.onnx, a network with trained weights: others start from random ones",
      got: `model.name ${config.model.name}`,
      fix: "Take freeze out, or name an ONNX file.",
    })
  }
  const { jobs, device } = config.engine
  if (typeof jobs === "number" && jobs > 1 && device !== "cpu") {
    problems.push({
      where: "engine.jobs",
      expected: `1, since ${device} takes one job after the other`,
      got: String(jobs),
      fix: "Set engine.jobs to 1, or engine.device to cpu.",
    })
  }
  const twice = strategies.find((strategy, index) => strategies.indexOf(strategy) !== index)
  if (twice !== undefined) {
    problems.push({ where: "strategies", expected: "each strategy once", got: `${twice} more than once` })
  }
  return problems
}

/** Moments given in epochs or steps that lie behind the end of training and so would never come. */
function lateMoments({ training, lossModule }: RunConfig): Problem[] {
  const { schedule, epochs, steps } = training
  const unit = epochs === undefined ? "steps" : "epochs"
  const length = epochs ?? steps ?? 0
  const moments = [
    { where: "lossModule.stopGradientAt", moment: lossModule.stopGradientAt },
    ...(schedule.kind === "step" ? schedule.milestones : []).map((moment, index) => ({
      where: `training.schedule.milestones.${index}`,
      moment,
    })),
  ]
  return moments.flatMap(({ where, moment }) =>
    typeof moment === "number" && moment > length
      ? [{ where, expected: `at most training.${unit} (${length}), or a share such as 60%`, got: String(moment) }]
      : [],
  )
}

function tellRefusal(problems: Problem[], check: () => unknown): void {
  try {
    check()
  } catch (error) {
    if (!(error instanceof LearnlossError)) throw error
    const { cause: _, ...problem } = error.details
    problems.push(problem)
  }
}

/**
 * Checks that a pool holds as many images as the run will label.
 *
 * @throws LearnlossError `POOL_TOO_SMALL` with the arithmetic.
 */
export function checkPoolSize({ budget, data, pool }: RunConfig, poolImages: number): void {
  if (labelsNeeded(budget) <= poolImages) return
  const shaped = pool.imbalance > 1 ? ` after imbalance ${pool.imbalance}` : ""
  const { expected, got, fix } = tooManyLabels(budget, poolImages, `pool of ${data}${shaped}`)
  throw new LearnlossError("POOL_TOO_SMALL", { where: "budget", expected, got, ...(fix === undefined ? {} : { fix }) })
}

function tooManyLabels(budget: RunConfig["budget"], limit: number, limitName: string): Problem {
  const { initial, perCycle, cycles } = budget
  return {
    where: "budget",
    expected: `initial + perCycle x (cycles - 1) to be at most the ${limit} images of the ${limitName}`,
    got: `${initial} + ${perCycle} x ${cycles - 1} = ${labelsNeeded(budget)}`,
    fix: "Label fewer images a cycle, run fewer cycles or use a larger pool.",
  }
}
