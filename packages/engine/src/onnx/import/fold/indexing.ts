import { isSameShape, type Shape, sizeOf, type Tensor } from "../../../graph/tensor.ts"
import type { FoldRule, NodeView } from "../rule.ts"
import { axisIn, exportAgain, indicesIn, madeShape } from "../rules/axes.ts"
import { filled, type Inputs, needed, offsetsOf, stridesOf, wholeNumbers } from "./numbers.ts"

function indicesAt(view: NodeView, inputs: Inputs): { readonly shape: Shape; readonly list: readonly number[] } {
  const tensor = needed(view, inputs, 1)
  return { shape: tensor.shape, list: wholeNumbers(view, tensor) ?? [] }
}

function taken(view: NodeView, x: Tensor, shape: Shape, from: (position: number) => number): Tensor {
  return filled(view, x.dtype, shape, (position) => x.data[from(position)] as number | bigint)
}

function gathered(inputs: Inputs, view: NodeView): readonly Tensor[] {
  const x = needed(view, inputs, 0)
  const axis = axisIn(view, view.int("axis", 0), x.shape.length)
  const length = x.shape[axis] as number
  const { shape, list } = indicesAt(view, inputs)
  const found = indicesIn(view, list, length)
  const inner = sizeOf(x.shape.slice(axis + 1))
  const result = [...x.shape.slice(0, axis), ...shape, ...x.shape.slice(axis + 1)]
  return [
    taken(view, x, result, (position) => {
      const row = Math.floor(position / inner)
      const outer = Math.floor(row / found.length)
      return (outer * length + (found[row % found.length] as number)) * inner + (position % inner)
    }),
  ]
}

/** Positions in x of every index along an axis, whose other coordinates are those of the index itself. */
function elementsAlong(
  view: NodeView,
  x: Tensor,
  inputs: Inputs,
): { readonly shape: Shape; readonly at: Float64Array } {
  const { shape, list } = indicesAt(view, inputs)
  const axis = axisIn(view, view.int("axis", 0), x.shape.length)
  const isInside =
    shape.length === x.shape.length &&
    shape.every((length, each) => each === axis || length <= (x.shape[each] as number))
  if (!isInside) return view.fail(`indices within [${x.shape.join(", ")}]`, `[${shape.join(", ")}]`, exportAgain)
  const strides = stridesOf(x.shape)
  const found = indicesIn(view, list, x.shape[axis] as number)
  const at = offsetsOf(view, shape, (each, coordinate) => (each === axis ? 0 : coordinate * (strides[each] as number)))
  for (const [position, index] of found.entries())
    at[position] = (at[position] as number) + index * (strides[axis] as number)
  return { shape, at }
}

/** First positions in x of the parts that indices [.., k] name, after a number of batch axes that both share. */
function partsOf(view: NodeView, x: Tensor, inputs: Inputs, batchRank: number) {
  const { shape, list } = indicesAt(view, inputs)
  const depth = shape.at(-1) ?? 0
  const named = batchRank + depth
  const isFitting =
    depth >= 1 &&
    batchRank >= 0 &&
    batchRank < shape.length &&
    named <= x.shape.length &&
    isSameShape(shape.slice(0, batchRank), x.shape.slice(0, batchRank))
  if (!isFitting) return view.fail(`indices into [${x.shape.join(", ")}]`, `[${shape.join(", ")}]`, exportAgain)
  const strides = stridesOf(x.shape)
  const rows = sizeOf(shape.slice(batchRank, -1))
  const inner = sizeOf(x.shape.slice(named))
  const starts = Array.from({ length: sizeOf(shape.slice(0, -1)) }, (_, row) => {
    const batch = Math.floor(row / rows) * sizeOf(x.shape.slice(batchRank))
    return Array.from({ length: depth }, (_, level) => {
      const axis = batchRank + level
      const [index = 0] = indicesIn(view, [list[row * depth + level] as number], x.shape[axis] as number)
      return index * (strides[axis] as number)
    }).reduce((sum, offset) => sum + offset, batch)
  })
  return { starts, inner, shape: [...shape.slice(0, -1), ...x.shape.slice(named)] }
}

/** Puts or adds updates at positions; later ones win. */
function scattered(view: NodeView, x: Tensor, updates: Tensor, positions: ArrayLike<number>): readonly Tensor[] {
  const reduction = view.string("reduction", "none")
  if (reduction !== "none" && reduction !== "add") return view.fail("reduction none or add", reduction)
  if (updates.dtype !== x.dtype || updates.data.length !== positions.length) {
    return view.fail(
      `${positions.length} updates of ${x.dtype}`,
      `${updates.data.length} of ${updates.dtype}`,
      exportAgain,
    )
  }
  const numbers = Array.from(x.data as ArrayLike<number | bigint>)
  for (let index = 0; index < positions.length; index++) {
    const [at, update] = [positions[index] as number, updates.data[index] as number | bigint]
    const old = numbers[at] as number | bigint
    // Both are of one type, which the addition cannot see.
    numbers[at] = reduction === "none" ? update : (old as number) + (update as number)
  }
  return [filled(view, x.dtype, x.shape, (position) => numbers[position] as number | bigint)]
}

export const indexingFolds = {
  Gather: gathered,
  GatherElements: (inputs, view) => {
    const x = needed(view, inputs, 0)
    const { shape, at } = elementsAlong(view, x, inputs)
    return [taken(view, x, shape, (position) => at[position] as number)]
  },
  GatherND: (inputs, view) => {
    const x = needed(view, inputs, 0)
    const { starts, inner, shape } = partsOf(view, x, inputs, view.int("batch_dims", 0))
    return [taken(view, x, shape, (position) => (starts[Math.floor(position / inner)] as number) + (position % inner))]
  },
  ScatterElements: (inputs, view) => {
    const x = needed(view, inputs, 0)
    return scattered(view, x, needed(view, inputs, 2), elementsAlong(view, x, inputs).at)
  },
  ScatterND: (inputs, view) => {
    const x = needed(view, inputs, 0)
    const { starts, inner } = partsOf(view, x, inputs, 0)
    madeShape(view, [starts.length, inner])
    const positions = starts.flatMap((start) => Array.from({ length: inner }, (_, offset) => start + offset))
    return scattered(view, x, needed(view, inputs, 2), positions)
  },
} as const satisfies Readonly<Record<string, FoldRule>>
