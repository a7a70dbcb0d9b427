import { type Shape, sizeOf } from "../../../graph/tensor.ts"
import type { ImportContext, NodeView } from "../rule.ts"

/** What to do about a node that no exporter writes. */
export const exportAgain = "Export the network again; this file is damaged or written by a broken exporter."

/** Numbers in a table that is made while importing; a damaged file must not exhaust memory. */
const mostNumbers = 2 ** 24

/** The shape of a tensor that is about to be made; refuses one of more than 2^24 numbers. */
export function madeShape(view: NodeView, shape: Shape): Shape {
  // A shape may hold nothing and still have an axis that no list could count.
  const isCountable = shape.every((length) => Number.isInteger(length) && length >= 0 && length <= mostNumbers)
  if (isCountable && sizeOf(shape) <= mostNumbers) return shape
  return view.fail(`a tensor of at most ${mostNumbers} numbers`, `shape [${shape.join(", ")}]`, exportAgain)
}

/** An axis counted from the front, where -1 is the last one. */
export function axisIn(view: NodeView, axis: number, rank: number): number {
  const index = axis < 0 ? axis + rank : axis
  if (Number.isInteger(index) && index >= 0 && index < rank) return index
  return view.fail(`one of ${rank} axes`, `axis ${axis}`, exportAgain)
}

/** Axes counted from the front, each once. */
export function axesIn(view: NodeView, axes: readonly number[], rank: number): readonly number[] {
  const found = axes.map((axis) => axisIn(view, axis, rank))
  if (new Set(found).size === found.length) return found
  return view.fail("each axis once", `axes ${axes.join(", ")}`, exportAgain)
}

/** Numbers that became the second input of an op in some version and were an attribute before. */
export function attributeOrInput(c: ImportContext, name: string, inputSince: number): readonly number[] | undefined {
  return c.opset < inputSince ? c.ints(name) : c.constantInts(1)
}

/** The shape that both broadcast to, as NumPy has it. */
export function broadcast(view: NodeView, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, index) => {
    const left = a[index - rank + a.length] ?? 1
    const right = b[index - rank + b.length] ?? 1
    if (left === right || right === 1) return left
    return left === 1
      ? right
      : view.fail("shapes that broadcast", `[${a.join(", ")}] and [${b.join(", ")}]`, exportAgain)
  })
}

/** The shape that `Reshape` asks for: 0 keeps a length, and -1 is what remains. */
export function reshapedTo(view: NodeView, from: Shape, wanted: readonly number[]): Shape {
  const keepsZero = view.int("allowzero", 0) !== 0
  const filled = wanted.map((length, axis) => (length === 0 && !keepsZero ? (from[axis] ?? -2) : length))
  const open = filled.indexOf(-1)
  const known = filled.reduce((product, length, axis) => (axis === open ? product : product * length), 1)
  const shape = filled.map((length, axis) => (axis === open ? sizeOf(from) / known : length))
  if (shape.every((length) => Number.isSafeInteger(length) && length >= 0) && sizeOf(shape) === sizeOf(from))
    return shape
  return view.fail(`a shape for ${sizeOf(from)} numbers`, `[${wanted.join(", ")}]`, exportAgain)
}

/** A matrix: everything before the axis, by everything from it on. */
export function flattenedTo(view: NodeView, from: Shape, axis: number): Shape {
  const cut = axis === from.length ? axis : axisIn(view, axis, from.length)
  return [sizeOf(from.slice(0, cut)), sizeOf(from.slice(cut))]
}

/** Without axes of length one: the named ones, or all. */
export function squeezedTo(view: NodeView, from: Shape, axes: readonly number[] | undefined): Shape {
  if (axes === undefined) return from.filter((length) => length !== 1)
  const dropped = axesIn(view, axes, from.length)
  if (dropped.some((axis) => from[axis] !== 1)) {
    return view.fail("axes of length one", `axes ${axes.join(", ")} of [${from.join(", ")}]`, exportAgain)
  }
  return from.filter((_, axis) => !dropped.includes(axis))
}

/** With axes of length one put in; they count in the result. */
export function unsqueezedTo(view: NodeView, from: Shape, axes: readonly number[] | undefined): Shape {
  if (axes === undefined) return view.fail("axes", "none", exportAgain)
  const rank = from.length + axes.length
  const added = axesIn(view, axes, rank)
  let next = 0
  return Array.from({ length: rank }, (_, axis) => (added.includes(axis) ? 1 : (from[next++] as number)))
}

/** The order of axes that `Transpose` asks for; reversed where it asks for none. */
export function permutation(view: NodeView, rank: number): readonly number[] {
  const perm = view.ints("perm")
  if (perm === undefined) return Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
  if (perm.length !== rank) return view.fail(`an order of ${rank} axes`, `[${perm.join(", ")}]`, exportAgain)
  return axesIn(view, perm, rank)
}

/** Lengths of the parts that `Split` makes. */
export function splitLengths(view: NodeView, length: number, given: readonly number[] | undefined): readonly number[] {
  const count = view.node.outputs.length
  const wantedCount = view.int("num_outputs", count)
  if (wantedCount !== count) return view.fail(`${wantedCount} outputs`, String(count), exportAgain)
  const each = Math.ceil(length / count)
  const lengths = given ?? Array.from({ length: count }, (_, part) => Math.min(each, length - part * each))
  const isWhole = lengths.every((part) => Number.isInteger(part) && part >= 0)
  if (isWhole && lengths.length === count && lengths.reduce((sum, part) => sum + part, 0) === length) return lengths
  return view.fail(`${count} parts of ${length}`, `[${lengths.join(", ")}]`, exportAgain)
}

/** One axis of a `Slice`: `count` positions from `start` on, `step` apart. */
export interface SlicedAxis {
  readonly axis: number
  readonly start: number
  readonly step: number
  readonly count: number
}

/** Start and end beyond an axis are its ends, and negative ones count from behind. */
export function slicedAxes(
  view: NodeView,
  shape: Shape,
  starts: readonly number[],
  ends: readonly number[],
  givenAxes: readonly number[] | undefined,
  steps: readonly number[] | undefined,
): readonly SlicedAxis[] {
  const axes = axesIn(view, givenAxes ?? starts.map((_, axis) => axis), shape.length)
  if (
    starts.length !== ends.length ||
    axes.length !== starts.length ||
    (steps?.length ?? axes.length) !== axes.length
  ) {
    return view.fail(
      "a start, an end and a step for each axis",
      `${starts.length}, ${ends.length} and ${steps?.length}`,
    )
  }
  return axes.map((axis, index) => {
    const length = shape[axis] as number
    const step = steps?.[index] ?? 1
    if (step === 0) return view.fail("steps other than zero", "0", exportAgain)
    const within = (position: number, low: number, high: number) =>
      Math.min(Math.max(position < 0 ? position + length : position, low), high)
    const start = within(starts[index] as number, 0, step < 0 ? length - 1 : length)
    const end = within(ends[index] as number, step < 0 ? -1 : 0, step < 0 ? length - 1 : length)
    return { axis, start, step, count: Math.max(0, Math.ceil((end - start) / step)) }
  })
}

/** Fills the two places of an axis in a list of pads: before all axes, then after all axes. */
export function padsOf(
  view: NodeView,
  rank: number,
  pads: readonly number[],
  axes?: readonly number[],
): readonly number[] {
  const padded = axes === undefined ? Array.from({ length: rank }, (_, axis) => axis) : axesIn(view, axes, rank)
  if (pads.length !== 2 * padded.length) {
    return view.fail(`${2 * padded.length} pads`, `[${pads.join(", ")}]`, exportAgain)
  }
  const all = Array.from({ length: 2 * rank }, () => 0)
  for (const [index, axis] of padded.entries()) {
    all[axis] = pads[index] as number
    all[axis + rank] = pads[index + padded.length] as number
  }
  return all
}

/** A list of indices counted from the front; refuses those outside an axis. */
export function indicesIn(view: NodeView, indices: readonly number[], length: number): readonly number[] {
  return indices.map((index) => {
    const position = index < 0 ? index + length : index
    return position >= 0 && position < length
      ? position
      : view.fail(`indices into an axis of ${length}`, String(index), exportAgain)
  })
}
