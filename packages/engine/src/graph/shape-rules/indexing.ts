import type { Shape } from "../tensor.ts"
import {
  at,
  axis,
  expectDtype,
  expectRank,
  expectShape,
  Mismatch,
  type ShapeRules,
  type TypedShape,
  written,
} from "./rule.ts"

/** `data` and its positions, which are `int64`. */
function positioned(inputs: readonly TypedShape[]): readonly [TypedShape, TypedShape] {
  const [data, indices] = [at(inputs, 0), at(inputs, 1)]
  expectDtype(indices, "int64")
  return [data, indices]
}

/** Elements of `data` by full position outside one axis: the positions may not reach further than the data there. */
function expectWithin(indices: TypedShape, data: TypedShape, along: number): void {
  expectRank(indices, data.shape.length)
  axis(data.shape, along)
  if (indices.shape.some((length, index) => index !== along && length > (data.shape[index] as number))) {
    throw new Mismatch(`positions of at most ${written(data.shape)} outside axis ${along}`, written(indices.shape))
  }
}

/** The shape that positions of `depth` axes pick out of `data`: [..., depth] becomes [..., rest of data]. */
function picked(data: TypedShape, indices: TypedShape): Shape {
  const depth = axis(indices.shape, indices.shape.length - 1)
  if (depth < 1 || depth > data.shape.length) {
    throw new Mismatch(`positions along 1 to ${data.shape.length} axes`, `indices ${written(indices.shape)}`)
  }
  return [...indices.shape.slice(0, -1), ...data.shape.slice(depth)]
}

function expectUpdates(updates: TypedShape, data: TypedShape, shape: Shape): void {
  expectDtype(updates, data.dtype)
  expectShape(updates, shape)
}

export const indexingShapes = {
  Gather: (inputs, { axis: along }) => {
    const [data, indices] = positioned(inputs)
    axis(data.shape, along)
    const shape = [...data.shape.slice(0, along), ...indices.shape, ...data.shape.slice(along + 1)]
    return [{ dtype: data.dtype, shape }]
  },
  GatherElements: (inputs, { axis: along }) => {
    const [data, indices] = positioned(inputs)
    expectWithin(indices, data, along)
    return [{ dtype: data.dtype, shape: indices.shape }]
  },
  GatherND: (inputs) => {
    const [data, indices] = positioned(inputs)
    return [{ dtype: data.dtype, shape: picked(data, indices) }]
  },
  ScatterElements: (inputs, { axis: along }) => {
    const [data, indices] = positioned(inputs)
    expectWithin(indices, data, along)
    expectUpdates(at(inputs, 2), data, indices.shape)
    return [data]
  },
  ScatterND: (inputs) => {
    const [data, indices] = positioned(inputs)
    expectUpdates(at(inputs, 2), data, picked(data, indices))
    return [data]
  },
} as const satisfies ShapeRules
