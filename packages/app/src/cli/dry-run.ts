import type { RunConfig } from "@learnloss/contract"
import { stringify } from "yaml"
import { planRun } from "../experiments/plan.ts"
import { formatCount, plural } from "../report/format.ts"
import type { CommandIo } from "./io.ts"

/** Prints the complete settings of a run and what it would do. */
export function printPlan(config: RunConfig, io: CommandIo, isJson: boolean): void {
  const plan = planRun(config)
  if (isJson) {
    io.stdout(`${JSON.stringify({ config, plan }, null, 2)}\n`)
    return
  }
  const cycles = plan.cycles.map(
    ({ labels, steps }, index) => `#   cycle ${index + 1}: ${formatCount(labels)} labels, ${formatCount(steps)} steps`,
  )
  const total = `# ${describePlan(config)}`
  io.stdout(`${[stringify(config).trimEnd(), "", total, ...cycles].join("\n")}\n`)
}

/** What a run will do, in one line. */
export function describePlan(config: RunConfig): string {
  const { trainings, shared, labels, steps } = planRun(config)
  const product = [
    plural(config.strategies.length, "strategy").replace("strategys", "strategies"),
    plural(config.trials, "trial"),
    plural(config.budget.cycles, "cycle"),
  ].join(" x ")
  const sharing = shared === 0 ? "" : ` (${formatCount(shared)} of them shared)`
  return `${product} = ${plural(trainings, "training")}${sharing} with up to ${plural(labels, "label")}, ${plural(steps, "step")} in all`
}
