import { type RunConfig, taskNames } from "@learnloss/contract"
import { stringify } from "yaml"
import { planRun } from "../experiments/plan.ts"
import { formatCount, plural } from "../report/format.ts"
import { taskWords } from "../report/task-words.ts"
import type { CommandIo } from "./io.ts"

/** Prints the settings of a run and what it would do: as text those that its task heeds, as JSON all of them. */
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
  io.stdout(`${[stringify(heededSettings(config)).trimEnd(), "", total, ...cycles].join("\n")}\n`)
}

/** The settings without those that are for other tasks. */
function heededSettings(config: RunConfig): Record<string, unknown> {
  const others = taskNames.filter((name) => name !== config.task)
  const idle = new Set<string>(others.flatMap((name) => [...taskWords[name].changes]))
  const without = (settings: object, isIdle: (name: string) => boolean) =>
    Object.fromEntries(Object.entries(settings).filter(([name]) => !isIdle(name)))
  const augment = without(config.augment, (name) => idle.has(name))
  return without({ ...config, augment }, (name) => others.some((other) => other === name))
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
