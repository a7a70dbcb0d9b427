import type { Value } from "../../../graph/graph.ts"
import { type DataType, filledTensor, floatTensor, type Shape, sizeOf } from "../../../graph/tensor.ts"
import type { ImportContext } from "../rule.ts"
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

/** A constant of the graph filled by coordinates; refuses one too large to make. */
export function constantTensor(
  c: ImportContext,
  dtype: DataType,
  shape: Shape,
  fill: (coordinates: readonly number[]) => number,
): Value {
  const tensor = filledTensor(dtype, madeShape(c, shape), (position) => fill(coordinatesOf(shape, position)))
  return c.graph.constant(tensor)
}

/** A constant of one number throughout. */
export function constantOf(c: ImportContext, shape: Shape, number: number): Value {
  return c.graph.constant(floatTensor(madeShape(c, shape), new Float32Array(sizeOf(shape)).fill(number)))
}
