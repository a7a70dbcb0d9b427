import type { Value } from "../../../graph/graph.ts"
import { type DataType, floatTensor, type Shape, sizeOf, type Tensor } from "../../../graph/tensor.ts"
import type { ImportContext, NodeView } from "../rule.ts"
import { madeShape } from "./axes.ts"

/** The coordinates of a position in a row-major tensor. */
function coordinatesOf(shape: Shape, position: number): readonly number[] {
  const coordinates = shape.map(() => 0)
  let rest = position
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] as number
    coordinates[axis] = rest % length
    rest = Math.floor(rest / length)
  }
  return coordinates
}

/** A tensor filled by coordinates; refuses one too large to make. */
function filledTensor(
  view: NodeView,
  dtype: DataType,
  shape: Shape,
  fill: (coordinates: readonly number[]) => number,
): Tensor {
  const size = sizeOf(madeShape(view, shape))
  const numbers = Float64Array.from({ length: size }, (_, position) => fill(coordinatesOf(shape, position)))
  switch (dtype) {
    case "float32":
      return floatTensor(shape, Float32Array.from(numbers))
    case "int64":
      return { dtype, shape, data: BigInt64Array.from(numbers as ArrayLike<number>, BigInt) }
    case "bool":
      return { dtype, shape, data: Uint8Array.from(numbers) }
  }
}

/** A constant of the graph filled by coordinates. */
export function constantTensor(
  c: ImportContext,
  dtype: DataType,
  shape: Shape,
  fill: (coordinates: readonly number[]) => number,
): Value {
  return c.graph.constant(filledTensor(c, dtype, shape, fill))
}

/** A constant of one number throughout. */
export function constantOf(c: ImportContext, shape: Shape, number: number): Value {
  return c.graph.constant(floatTensor(madeShape(c, shape), new Float32Array(sizeOf(shape)).fill(number)))
}
