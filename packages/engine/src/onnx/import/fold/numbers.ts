import { type DataType, filledTensor, type Shape, sizeOf, type Tensor } from "../../../graph/tensor.ts"
import type { NodeView } from "../rule.ts"
import { exportAgain, madeShape } from "../rules/axes.ts"

/** What a fold rule gets: undefined where an input is left out. */
export type Inputs = readonly (Tensor | undefined)[]

/** The input at a position; refuses a node that leaves it out. */
export function needed(view: NodeView, inputs: Inputs, position: number): Tensor {
  return inputs[position] ?? view.fail(`an input ${position}`, `${inputs.length} inputs`, exportAgain)
}

/** The numbers of an `int64` tensor; undefined where it is left out. */
export function wholeNumbers(view: NodeView, tensor: Tensor | undefined): readonly number[] | undefined {
  if (tensor === undefined) return undefined
  if (tensor.dtype !== "int64") return view.fail("whole numbers", tensor.dtype, exportAgain)
  return Array.from(tensor.data, Number)
}

/** Whole numbers that became the second input of an op in some version and were an attribute before. */
export function attributeOrInput(view: NodeView, inputs: Inputs, name: string, inputSince: number) {
  return view.opset < inputSince ? view.ints(name) : wholeNumbers(view, inputs[1])
}

/** A tensor of a type, filled position by position; refuses one too large to make. */
export function filled(
  view: NodeView,
  dtype: DataType,
  shape: Shape,
  at: (position: number) => number | bigint,
): Tensor {
  return filledTensor(dtype, madeShape(view, shape), at)
}

/** The same numbers in another shape of the same size. */
export function reshaped(tensor: Tensor, shape: Shape): Tensor {
  return { ...tensor, shape }
}

/** How far apart neighbours along each axis lie. */
export function stridesOf(shape: Shape): readonly number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
}

/** For every position of a shape, the sum over its axes of an offset; refuses a shape too large to make. */
export function offsetsOf(
  view: NodeView,
  shape: Shape,
  offset: (axis: number, coordinate: number) => number,
): Float64Array {
  madeShape(view, shape)
  return shape.reduce((outer, length, axis) => {
    const along = Float64Array.from({ length }, (_, coordinate) => offset(axis, coordinate))
    const next = new Float64Array(outer.length * length)
    for (const [index, start] of outer.entries())
      for (let coordinate = 0; coordinate < length; coordinate++)
        next[index * length + coordinate] = start + (along[coordinate] as number)
    return next
  }, new Float64Array(1))
}

/** Numbers found at the sums of an offset per axis; where a sum is not a number, the filler stands. */
export function picked(
  view: NodeView,
  tensor: Tensor,
  shape: Shape,
  offset: (axis: number, coordinate: number) => number,
  filler: number | bigint = 0,
): Tensor {
  const offsets = offsetsOf(view, shape, offset)
  return filled(view, tensor.dtype, shape, (position) => {
    const from = offsets[position] as number
    return Number.isNaN(from) ? filler : (tensor.data[from] as number | bigint)
  })
}

/** A tensor repeated along axes of length one up to a shape that it broadcasts to. */
export function expanded(view: NodeView, tensor: Tensor, shape: Shape): Tensor {
  if (tensor.shape.join() === shape.join()) return tensor
  const strides = stridesOf(tensor.shape)
  const added = shape.length - tensor.shape.length
  return picked(view, tensor, shape, (axis, coordinate) =>
    (tensor.shape[axis - added] ?? 1) === 1 ? 0 : coordinate * (strides[axis - added] as number),
  )
}
