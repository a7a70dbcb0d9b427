import { LearnlossError } from "@learnloss/engine"
import { parseDocument } from "yaml"

/** Settings given on the command line, as text. */
export interface ConfigOverrides {
  /** Each `dotted.key=value`, the value in YAML: `budget.perCycle=100`, `strategies=[random, entropy]`. */
  readonly set?: readonly string[]
  /** Names separated by commas. */
  readonly strategies?: string
  readonly trials?: string
  readonly seed?: string
  readonly device?: string
}

/** One value from the command line and the place in the settings that it replaces. */
export interface Override {
  readonly path: readonly string[]
  readonly value: unknown
  /** How errors name it, e.g. `--seed`. */
  readonly origin: string
}

/** Setting the first makes no sense with the others beside it, so they go back to their defaults. */
const replaces: Readonly<Record<string, readonly string[]>> = {
  "training.epochs": ["training.steps"],
  "training.steps": ["training.epochs"],
  "training.schedule.kind": ["training.schedule.milestones", "training.schedule.gamma"],
}

/**
 * Reads the overrides of a command line; `--set` comes first, so that `--seed 1 --set seed=2` gives 1.
 *
 * @throws LearnlossError `SET_MALFORMED` for a `--set` without `=` or with a value that is not YAML.
 */
export function parseOverrides(given: ConfigOverrides): Override[] {
  const overrides = (given.set ?? []).map(parseAssignment)
  if (given.strategies !== undefined) {
    const value = given.strategies.split(",").map((name) => name.trim())
    overrides.push({ path: ["strategies"], value: value.filter((name) => name !== ""), origin: "--strategies" })
  }
  for (const key of ["trials", "seed"] as const) {
    const text = given[key]
    if (text !== undefined) overrides.push({ path: [key], value: parseValue(text, `--${key}`), origin: `--${key}` })
  }
  if (given.device !== undefined)
    overrides.push({ path: ["engine", "device"], value: given.device, origin: "--device" })
  return overrides
}

/** A copy of the settings with the overrides in place; groups that are missing are made. */
export function applyOverrides(values: Record<string, unknown>, overrides: readonly Override[]): unknown {
  const changed = structuredClone(values)
  for (const { path, value } of overrides) {
    const parent = groupAt(changed, path.slice(0, -1))
    const key = path.at(-1)
    if (key === undefined) continue
    if (parent[key] !== value) for (const other of replaces[path.join(".")] ?? []) removeAt(changed, other.split("."))
    parent[key] = value
  }
  return changed
}

function parseAssignment(text: string): Override {
  const equals = text.indexOf("=")
  const path = text.slice(0, Math.max(equals, 0)).trim().split(".")
  if (equals < 1 || path.some((key) => key === "")) {
    throw new LearnlossError("SET_MALFORMED", {
      where: `--set ${text}`,
      expected: "key=value with a dotted key",
      got: equals < 0 ? "no equals sign" : "an empty key",
      fix: "Write it like --set training.steps=600.",
    })
  }
  const origin = `--set ${path.join(".")}`
  return { path, value: parseValue(text.slice(equals + 1), origin), origin }
}

function parseValue(text: string, origin: string): unknown {
  const document = parseDocument(text, { version: "1.2" })
  const problem = document.errors[0]
  if (problem === undefined) return document.toJS()
  throw new LearnlossError("SET_MALFORMED", {
    where: origin,
    expected: "a YAML value: a number, a word, true, null or a list such as [random, entropy]",
    got: `${JSON.stringify(text)} (${problem.message.split("\n")[0]})`,
  })
}

type Group = Record<string, unknown>

/** The group at a path; what is missing or no group becomes an empty one. */
function groupAt(values: Group, path: readonly string[]): Group {
  let group = values
  for (const key of path) {
    const inner = Object.hasOwn(group, key) ? group[key] : undefined
    const next = typeof inner === "object" && inner !== null ? (inner as Group) : {}
    group[key] = next
    group = next
  }
  return group
}

function removeAt(values: Group, path: readonly string[]): void {
  const key = path.at(-1)
  if (key !== undefined) delete groupAt(values, path.slice(0, -1))[key]
}
