import { sizeOf } from "../graph/tensor.ts"
import { type DataFlow, dataFlow, type KnownShapes } from "./data-flow.ts"
import { dataInput } from "./endings.ts"
import type { OnnxModel, OnnxNode } from "./model.ts"

/** Where a feature map of shape [B, C, ...] or [B, ..., C] has its channels. */
export type Layout = "channels-first" | "channels-last"

const channelsFirstOps = new Set([
  "Conv",
  "ConvTranspose",
  "MaxPool",
  "AveragePool",
  "LpPool",
  "GlobalAveragePool",
  "GlobalMaxPool",
  "BatchNormalization",
  "InstanceNormalization",
  "GroupNormalization",
  "LRN",
  "DepthToSpace",
  "SpaceToDepth",
])

/** Ops whose output has its axes where their inputs have them; only inputs of the output's rank count. */
const passingOps = new Set([
  ...["Add", "Sub", "Mul", "Div", "Min", "Max", "Sum", "Mean", "Pow", "Where", "Concat", "Split", "Slice", "Pad"],
  ...["Identity", "Cast", "Dropout", "Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Gelu", "Sigmoid", "Tanh"],
  ...["HardSigmoid", "HardSwish", "Mish", "Softplus", "Softsign", "Clip", "Erf", "Exp", "Log", "Sqrt", "Abs", "Neg"],
  ...["Reciprocal", "Softmax", "LogSoftmax", "Resize", "ReduceMean", "ReduceSum", "ReduceMax", "ThresholdedRelu"],
])

/**
 * Decides for values with at least three axes where their channels are, from the ops that make and read them:
 * convolutions, pooling and normalisation by channel have them first, products with stored matrices and normalisation of
 * the last axis have them last; elementwise ops pass it along, transpositions turn it round.
 *
 * @returns layouts by name; values that nothing tells about are not there
 */
export function findLayouts(
  model: OnnxModel,
  shapes: KnownShapes,
  flow: DataFlow = dataFlow(model),
): Map<string, Layout> {
  const groups = new Groups()
  const rankOf = (name: string | undefined) => shapes.get(name ?? "")?.shape.length ?? 0
  for (const node of model.nodes) {
    const [output = ""] = node.outputs
    const data = node.inputs.filter((name) => flow.fed.has(name))
    if (!flow.fed.has(output) || rankOf(output) < 3 || node.domain !== "") continue
    if (channelsFirstOps.has(node.op)) for (const name of [node.inputs[0], output]) groups.vote(name, "channels-first")
    else if (isLastAxisOp(node, flow, rankOf)) for (const name of [...data, output]) groups.vote(name, "channels-last")
    if (!passingOps.has(node.op)) continue
    for (const name of [...data, ...node.outputs]) if (rankOf(name) === rankOf(output)) groups.join(output, name)
  }
  const layouts = groups.decided()
  for (const { op, inputs, outputs, attributes } of model.nodes) {
    const [from = "", to = ""] = [inputs[0], outputs[0]]
    const perm = attributes.get("perm")
    if (op !== "Transpose" || perm?.kind !== "ints" || rankOf(to) < 3) continue
    const [known, moved] = [layouts.get(from), turned(perm.value)]
    if (known !== undefined && moved === known) groups.voteGroup(to, opposite(known))
    const after = layouts.get(to)
    if (after !== undefined && moved === opposite(after)) groups.voteGroup(from, opposite(after))
  }
  return groups.decided()
}

/** The layout of any value: what `findLayouts` found, and otherwise channels first for images and last for sequences. */
export function layoutOf(model: OnnxModel, shapes: KnownShapes): (name: string) => Layout {
  const layouts = findLayouts(model, shapes)
  return (name) => {
    const rank = shapes.get(name)?.shape.length ?? 0
    return layouts.get(name) ?? (rank === 3 ? "channels-last" : "channels-first")
  }
}

function opposite(layout: Layout): Layout {
  return layout === "channels-first" ? "channels-last" : "channels-first"
}

/** The layout that a transposition takes away: moving axis 1 to the end, or the last axis to place 1. */
function turned(perm: readonly number[]): Layout | undefined {
  const last = perm.length - 1
  if (perm[0] !== 0) return
  if (perm[last] === 1 && perm.slice(1, last).every((axis, index) => axis === index + 2)) return "channels-first"
  if (perm[1] === last && perm.slice(2).every((axis, index) => axis === index + 1)) return "channels-last"
  return
}

function isLastAxisOp(node: OnnxNode, flow: DataFlow, rankOf: (name: string | undefined) => number): boolean {
  const rank = rankOf(node.inputs[0])
  if (node.op === "MatMul") return dataInput(flow, node) === node.inputs[0] && rankOf(node.inputs[1]) === 2
  if (node.op !== "LayerNormalization") return false
  const axis = node.attributes.get("axis")
  return axis?.kind !== "int" || axis.value === -1 || axis.value === rank - 1
}

/** Values that share a layout, with the votes of the ops around them. */
class Groups {
  readonly #parents = new Map<string, string>()
  readonly #votes = new Map<string, { first: number; last: number }>()
  readonly #late = new Map<string, Layout>()

  #root(name: string): string {
    let root = name
    for (let next = this.#parents.get(root); next !== undefined; next = this.#parents.get(root)) root = next
    if (root !== name) this.#parents.set(name, root)
    return root
  }

  #votesOf(root: string): { first: number; last: number } {
    const votes = this.#votes.get(root) ?? { first: 0, last: 0 }
    this.#votes.set(root, votes)
    return votes
  }

  join(a: string, b: string): void {
    const [one, other] = [this.#root(a), this.#root(b)]
    const votes = this.#votesOf(one)
    if (one === other) return
    const moved = this.#votesOf(other)
    votes.first += moved.first
    votes.last += moved.last
    this.#votes.delete(other)
    this.#parents.set(other, one)
  }

  vote(name: string | undefined, layout: Layout): void {
    if (name === undefined || name === "") return
    const votes = this.#votesOf(this.#root(name))
    if (layout === "channels-first") votes.first++
    else votes.last++
    this.#members.add(name)
  }

  readonly #members = new Set<string>()

  /** What a transposition tells of a group that nothing else tells about. */
  voteGroup(name: string, layout: Layout): void {
    this.#late.set(this.#root(name), layout)
    this.#members.add(name)
  }

  decided(): Map<string, Layout> {
    const layouts = new Map<string, Layout>()
    for (const name of [...this.#members, ...this.#parents.keys(), ...this.#votes.keys()]) {
      const root = this.#root(name)
      const { first = 0, last = 0 } = this.#votes.get(root) ?? {}
      const layout = first + last > 0 ? (first >= last ? "channels-first" : "channels-last") : this.#late.get(root)
      if (layout !== undefined) layouts.set(name, layout)
    }
    return layouts
  }
}

/** Places of a feature map that share its channels: 1 for [B, C] and [B, C, 1, 1]. */
export function positionsOf(shape: readonly number[], layout: Layout): number {
  return sizeOf(layout === "channels-first" ? shape.slice(2) : shape.slice(1, -1))
}
