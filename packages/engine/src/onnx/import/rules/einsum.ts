import { matMul, reduceSum, reshape, transpose } from "../../../graph/build.ts"
import type { Value } from "../../../graph/graph.ts"
import { sizeOf } from "../../../graph/tensor.ts"
import type { ImportContext, ImportRule, NodeView } from "../rule.ts"
import { exportAgain } from "./axes.ts"
import { takeSteps } from "./layout.ts"

/** A value whose axes have labels, each its own. */
interface Labelled {
  readonly value: Value
  readonly labels: readonly string[]
}

/** The labels of each operand and of the result. */
interface Equation {
  readonly operands: readonly (readonly string[])[]
  readonly result: readonly string[]
}

/** Axes under an ellipsis are aligned at their ends, so they are labelled from the last one backwards: `-1`, `-2`. */
function labelsOf(view: NodeView, term: string, ellipsisRank: number): readonly string[] {
  const [before = "", after, ...more] = term.split("...")
  if (more.length > 0 || !/^[A-Za-z]*$/.test(before + (after ?? ""))) {
    return view.fail("letters and at most one ellipsis in each term", term, exportAgain)
  }
  const hidden = Array.from({ length: after === undefined ? 0 : ellipsisRank }, (_, index) => `${index - ellipsisRank}`)
  return [...before, ...hidden, ...(after ?? "")]
}

/**
 * Reads an equation such as `bij,bjk->bik`. Without an arrow the result has the ellipsis and then, in alphabetical order,
 * the labels that occur once.
 */
function parse(view: NodeView, equation: string, ranks: readonly number[]): Equation {
  const [left = "", right, ...more] = equation.replaceAll(" ", "").split("->")
  const terms = left.split(",")
  if (more.length > 0 || terms.length !== ranks.length) {
    return view.fail(`an equation of ${ranks.length} operands`, equation, exportAgain)
  }
  const hiddenRanks = terms.map((term, index) =>
    term.includes("...") ? (ranks[index] as number) - term.replace("...", "").length : 0,
  )
  const operands = terms.map((term, index) => labelsOf(view, term, hiddenRanks[index] as number))
  for (const [index, labels] of operands.entries()) {
    if (labels.length !== ranks[index]) return view.fail(`${ranks[index]} labels`, terms[index] ?? "", exportAgain)
  }
  const all = operands.flat()
  const hiddenRank = Math.max(0, ...hiddenRanks)
  const once = all.filter((label) => /[A-Za-z]/.test(label) && all.indexOf(label) === all.lastIndexOf(label))
  const result = labelsOf(view, right ?? `...${once.toSorted().join("")}`, hiddenRank)
  const isKnown = result.every((label, index) => all.includes(label) && result.indexOf(label) === index)
  if (isKnown) return { operands, result }
  return view.fail("a result of labels that an operand has", equation, exportAgain)
}

/**
 * Keeps the diagonal of axes that share a label. Laid out one after another, its elements are evenly apart: by n + 1 for
 * two axes of length n.
 */
function diagonal(c: ImportContext, value: Value, labels: readonly string[]): Labelled {
  const label = labels.find((each, axis) => labels.indexOf(each) !== axis)
  if (label === undefined) return { value, labels }
  const axes = labels.flatMap((each, axis) => (each === label ? [axis] : []))
  const others = labels.flatMap((each, axis) => (each === label ? [] : [axis]))
  const lengths = axes.map((axis) => value.shape[axis] as number)
  const [length = 1] = lengths
  if (lengths.some((each) => each !== length)) {
    return c.fail(`axes of one length for the repeated ${label}`, `[${value.shape.join(", ")}]`, exportAgain)
  }
  const rest = others.map((axis) => value.shape[axis] as number)
  const flat = reshape(transpose(value, [...axes, ...others]), [length ** axes.length, ...rest])
  const step = axes.reduce((sum, _, index) => sum + length ** index, 0)
  return diagonal(c, takeSteps(flat, 0, 0, step, length), [label, ...others.map((axis) => labels[axis] as string)])
}

/** Sums over the labels that nobody else needs, and drops axes of length one that others fill. */
function reduced(
  { value, labels }: Labelled,
  needed: readonly string[],
  lengths: ReadonlyMap<string, number>,
): Labelled {
  const summed = labels.flatMap((label, axis) => (needed.includes(label) ? [] : [axis]))
  const rest = reduceSum(value, summed, true)
  const isKept = (label: string, axis: number) =>
    needed.includes(label) && (value.shape[axis] !== 1 || lengths.get(label) === 1)
  const kept = labels.map(isKept)
  return {
    value: reshape(
      rest,
      rest.shape.filter((_, axis) => kept[axis]),
    ),
    labels: labels.filter((_, axis) => kept[axis]),
  }
}

/** Lays a value out as [groups of labels], one axis a group. */
function grouped({ value, labels }: Labelled, groups: readonly (readonly string[])[]): Value {
  const moved = transpose(
    value,
    groups.flat().map((label) => labels.indexOf(label)),
  )
  const lengthOf = (label: string) => value.shape[labels.indexOf(label)] as number
  return reshape(
    moved,
    groups.map((group) => sizeOf(group.map(lengthOf))),
  )
}

/** One batched matrix product: labels of both that are needed later are the batch, those that are not are summed. */
function contracted(
  a: Labelled,
  b: Labelled,
  needed: readonly string[],
  lengths: ReadonlyMap<string, number>,
): Labelled {
  const shared = a.labels.filter((label) => b.labels.includes(label))
  const batch = shared.filter((label) => needed.includes(label))
  const summed = shared.filter((label) => !needed.includes(label))
  const rows = a.labels.filter((label) => !shared.includes(label))
  const columns = b.labels.filter((label) => !shared.includes(label))
  const product = matMul(grouped(a, [batch, rows, summed]), grouped(b, [batch, summed, columns]))
  const labels = [...batch, ...rows, ...columns]
  const shape = labels.map((label) => lengths.get(label) as number)
  return { value: reshape(product, shape), labels }
}

function einsum(c: ImportContext): Value {
  const inputs = Array.from({ length: c.inputCount }, (_, position) => c.input(position))
  const { operands, result } = parse(
    c,
    c.string("equation", ""),
    inputs.map(({ shape }) => shape.length),
  )
  const terms = operands.map((labels, index) => diagonal(c, inputs[index] as Value, labels))
  const lengths = new Map<string, number>()
  for (const { value, labels } of terms) {
    for (const [axis, label] of labels.entries()) {
      const [length, known] = [value.shape[axis] as number, lengths.get(label) ?? 1]
      if (length !== known && length !== 1 && known !== 1) {
        return c.fail(`${known} along ${label}`, String(length), exportAgain)
      }
      lengths.set(label, known === 1 ? length : known)
    }
  }
  const neededAfter = (index: number) => [...result, ...operands.slice(index + 1).flat()]
  const joined = terms.slice(1).reduce((left, term, index) => {
    const later = neededAfter(index + 1)
    const right = reduced(term, [...later, ...left.labels], lengths)
    return contracted(reduced(left, [...later, ...term.labels], lengths), right, later, lengths)
  }, terms[0] as Labelled)
  const last = reduced(joined, result, lengths)
  const ordered = grouped(
    last,
    result.map((label) => (last.labels.includes(label) ? [label] : [])),
  )
  return ordered
}

export const einsumRules = {
  Einsum: { since: 12, gradient: true, build: einsum },
} as const satisfies Readonly<Record<string, ImportRule>>
