import { LearnlossError } from "../errors.ts"
import { ancestorsOf, dataFlow, isFloat, type KnownShapes } from "./data-flow.ts"
import { foldRules } from "./import/fold/index.ts"
import { waysOut } from "./import/node-view.ts"
import type { FoldRule, ImportRule } from "./import/rule.ts"
import { importRules } from "./import/rules/index.ts"
import type { OnnxModel, OnnxNode } from "./model.ts"

/** What a network may be trained through. */
export interface OpRules {
  readonly importRules: Readonly<Record<string, Pick<ImportRule, "gradient">>>
  readonly foldRules: Readonly<Record<string, FoldRule>>
}

/** One kind of op in a file. */
export interface OpUse {
  readonly op: string
  readonly domain: string
  readonly count: number
  /** Whether learnloss can train a network with it, or works it out beforehand. */
  readonly isReadable: boolean
  /** Whether a gradient runs through it. */
  readonly hasGradient: boolean
}

/** A node that stands between parameters and the output, and lets no gradient through. */
export interface Obstacle {
  readonly op: string
  readonly domain: string
  readonly node: string
  readonly lacks: "rule" | "gradient"
  /** Parameters before it, which would have to be frozen; the first few in the file's order. */
  readonly parameters: readonly string[]
  readonly parameterCount: number
}

const namedParameters = 5
/** Ops that the importer works out without a rule. */
const builtIn = new Set(["Constant", "Shape", "Size"])

/** All ops of a file, the most frequent first. */
export function listOps(model: OnnxModel, { importRules, foldRules }: OpRules): OpUse[] {
  const { fed } = dataFlow(model)
  const uses = new Map<string, { -readonly [K in keyof OpUse]: OpUse[K] }>()
  for (const { op, domain, outputs } of model.nodes) {
    const rule = ruleOf(importRules, op, domain)
    const isStatic = !outputs.some((name) => fed.has(name))
    const isFolded = domain === "" && (builtIn.has(op) || (isStatic && Object.hasOwn(foldRules, op)))
    const key = `${domain} ${op}`
    const use = uses.get(key) ?? { op, domain, count: 0, isReadable: true, hasGradient: rule?.gradient === true }
    use.count++
    use.isReadable &&= rule !== undefined || isFolded
    uses.set(key, use)
  }
  return [...uses.values()].sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1))
}

/**
 * Nodes that keep parameters from being trained: without a rule or a gradient, with parameters before them and a float
 * output after them. Arithmetic on shapes and comparisons carry no gradient and need none.
 *
 * @param wanted values that training needs; the file's outputs where they are left out
 */
export function findObstacles(
  model: OnnxModel,
  shapes: KnownShapes,
  parameters: ReadonlySet<string>,
  { importRules }: OpRules,
  wanted: readonly string[] = model.outputs.map(({ name }) => name),
): Obstacle[] {
  const flow = dataFlow(model)
  const learned = new Set(parameters)
  for (const node of model.nodes) {
    if (builtIn.has(node.op) && node.domain === "") continue
    if (!flow.reads(node).some((name) => learned.has(name))) continue
    for (const output of node.outputs) if (isFloat(shapes, output)) learned.add(output)
  }
  const targets = valuesWithGradient(model, shapes, wanted, flow.reads)
  return model.nodes.flatMap((node) => {
    const { op, domain, name } = node
    const rule = ruleOf(importRules, op, domain)
    if (rule?.gradient === true || (builtIn.has(op) && domain === "")) return []
    const isOnPath =
      flow.reads(node).some((read) => learned.has(read)) && node.outputs.some((made) => targets.has(made))
    if (!isOnPath) return []
    const before = ancestorsOf(flow, flow.reads(node))
    const named = [...parameters].filter((parameter) => before.has(parameter))
    const lacks = rule === undefined ? ("rule" as const) : ("gradient" as const)
    return [
      { op, domain, node: name, lacks, parameters: named.slice(0, namedParameters), parameterCount: named.length },
    ]
  })
}

/**
 * Makes sure that gradients reach every parameter that is to be trained.
 *
 * @param trained names of parameters
 * @param wanted values that the loss is computed from
 * @throws LearnlossError `NO_GRADIENT` naming op, node and the ways out
 */
export function requireTrainable(
  model: OnnxModel,
  shapes: KnownShapes,
  { trained, wanted }: { readonly trained: ReadonlySet<string>; readonly wanted: readonly string[] },
): void {
  const [obstacle] = findObstacles(model, shapes, trained, { importRules, foldRules }, wanted)
  if (obstacle === undefined) return
  const { op, domain, node, lacks, parameters, parameterCount } = obstacle
  const more = parameterCount > parameters.length ? ` and ${parameterCount - parameters.length} more` : ""
  throw new LearnlossError("NO_GRADIENT", {
    where: `${model.where}, ${domain === "" ? op : `${domain}.${op}`} node "${node}"`,
    expected: `an op with a gradient between the loss and ${parameters.join(", ")}${more}`,
    got: lacks === "rule" ? "one that learnloss does not know" : "one without",
    fix: waysOut,
  })
}

/** Float values that a wanted one depends on through float values. */
function valuesWithGradient(
  model: OnnxModel,
  shapes: KnownShapes,
  wanted: readonly string[],
  reads: (node: OnnxNode) => readonly string[],
): ReadonlySet<string> {
  const found = new Set(wanted.filter((name) => isFloat(shapes, name)))
  for (const node of model.nodes.toReversed()) {
    if (!node.outputs.some((output) => found.has(output))) continue
    for (const name of reads(node)) if (isFloat(shapes, name)) found.add(name)
  }
  return found
}

function ruleOf(rules: OpRules["importRules"], op: string, domain: string): Pick<ImportRule, "gradient"> | undefined {
  return domain === "" && Object.hasOwn(rules, op) ? rules[op] : undefined
}
