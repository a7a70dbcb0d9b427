import { LearnlossError } from "../../errors.ts"
import { dataFlow } from "../data-flow.ts"
import type { OnnxModel } from "../model.ts"
import { nodesFor } from "./network.ts"
import { type StoredParameter, storedParameters } from "./parameters.ts"

/**
 * The parameters that stay as they are: those whose names match a pattern (`*` stands for any characters, `?` for one),
 * and those that a value needs whose name is given.
 *
 * @throws LearnlossError `FREEZE_NO_MATCH` for a pattern that is neither
 */
export function frozenParameters(model: OnnxModel, patterns: readonly string[]): ReadonlySet<string> {
  const parameters = storedParameters(model)
  const names = [...parameters.values()].flatMap(({ name, kind }) => (kind === "parameter" ? [name] : []))
  const values = new Set(model.nodes.flatMap(({ outputs }) => outputs))
  const frozen = new Set<string>()
  for (const pattern of patterns) {
    const matches = globToRegExp(pattern)
    const found = names.filter((name) => matches.test(name))
    if (found.length === 0 && values.has(pattern)) found.push(...parametersBefore(model, pattern, parameters))
    else if (found.length === 0) throw noMatch(model, pattern, names)
    for (const name of found) frozen.add(name)
  }
  return frozen
}

function parametersBefore(model: OnnxModel, value: string, parameters: ReadonlyMap<string, StoredParameter>): string[] {
  const nodes = nodesFor(model, { wanted: [value], given: new Map() })
  return nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]).filter((name) => parameters.has(name))
}

function globToRegExp(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&")
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s")
}

function noMatch({ where }: OnnxModel, pattern: string, names: readonly string[]): LearnlossError {
  const shown = names.slice(0, 6).join(", ")
  return new LearnlossError("FREEZE_NO_MATCH", {
    where: `${where}, freeze "${pattern}"`,
    expected: `a pattern that matches parameters (${shown}${names.length > 6 ? ", ..." : ""}) or the name of a value`,
    got: "no match",
    fix: "List names with `learnloss model inspect --json`.",
  })
}

/** A value that a frozen part gives to the rest of a network. */
export interface BoundaryValue {
  readonly name: string
  /** Only its shape is read, so it need not be computed. */
  readonly isShapeOnly: boolean
}

/** The first part of a network that holds nothing that is trained. */
export interface FrozenSplit {
  readonly boundary: readonly BoundaryValue[]
  /** Whether the part has weights, so that computing it once is worth it. */
  readonly hasParameters: boolean
}

/**
 * Finds what of a network can be computed ahead: everything before its first trained parameter.
 *
 * @param wanted values that the rest must reach; one inside the frozen part stands in the boundary itself
 */
export function splitFrozen(model: OnnxModel, wanted: readonly string[], frozen: ReadonlySet<string>): FrozenSplit {
  const parameters = storedParameters(model)
  const isTrained = (name: string) => parameters.get(name)?.kind === "parameter" && !frozen.has(name)
  const { reads } = dataFlow(model)
  const fed = new Set(model.inputs.map(({ name }) => name))
  const learned = new Set<string>()
  const madeBy = new Map(model.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  for (const node of model.nodes) {
    const { op, outputs } = node
    const inputs = reads(node)
    // What only depends on a shape is worked out while the graph is built.
    const isFed = op !== "Shape" && op !== "Size" && inputs.some((name) => fed.has(name))
    const isLearned = [...inputs, ...outputs].some((name) => learned.has(name) || isTrained(name))
    for (const output of outputs) {
      if (isFed) fed.add(output)
      if (isLearned && op !== "Shape" && op !== "Size") learned.add(output)
    }
  }

  const boundary = new Map<string, BoundaryValue>()
  const seen = new Set<string>()
  const pending = wanted.map((name) => ({ name, isShapeOnly: false }))
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    const { name, isShapeOnly } = value
    const isKnown = seen.has(name) && (isShapeOnly || boundary.get(name)?.isShapeOnly !== true)
    if (name === "" || isKnown) continue
    seen.add(name)
    if (fed.has(name) && !learned.has(name)) {
      boundary.set(name, value)
      continue
    }
    const node = madeBy.get(name)
    const readsShape = node?.op === "Shape" || node?.op === "Size"
    pending.push(...(node === undefined ? [] : reads(node)).map((input) => ({ name: input, isShapeOnly: readsShape })))
  }

  const names = [...boundary.keys()]
  const before = nodesFor(model, { wanted: names, given: new Map() })
  return {
    boundary: [...boundary.values()],
    hasParameters: before.some(({ inputs, outputs }) => [...inputs, ...outputs].some((name) => parameters.has(name))),
  }
}
