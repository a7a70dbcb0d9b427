import { LearnlossError } from "../errors.ts"

/** Element types that graphs use. Only `float32` carries gradients. */
export type DataType = "float32" | "int64" | "bool"

/** Static sizes per axis, outermost first; `[]` is a scalar. */
export type Shape = readonly number[]

/** Row-major data with its type and shape; `bool` holds one byte an element. */
export type Tensor =
  | { readonly dtype: "float32"; readonly shape: Shape; readonly data: Float32Array }
  | { readonly dtype: "int64"; readonly shape: Shape; readonly data: BigInt64Array }
  | { readonly dtype: "bool"; readonly shape: Shape; readonly data: Uint8Array }

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1)
}

export function isSameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis])
}

/** A `float32` tensor; zeros where no data are given. */
export function floatTensor(shape: Shape, data: Float32Array = new Float32Array(sizeOf(shape))): Tensor {
  if (data.length !== sizeOf(shape)) {
    throw new LearnlossError("TENSOR_SIZE", {
      where: "float tensor",
      expected: `${sizeOf(shape)} elements for shape [${shape.join(", ")}]`,
      got: `${data.length}`,
    })
  }
  return { dtype: "float32", shape, data }
}

/** An `int64` tensor. */
export function intTensor(shape: Shape, values: readonly number[]): Tensor {
  return { dtype: "int64", shape, data: BigInt64Array.from(values, (value) => BigInt(value)) }
}

/** Zeros of any type, false where it is `bool`. */
export function zeroTensor(dtype: DataType, shape: Shape): Tensor {
  if (dtype === "float32") return floatTensor(shape)
  if (dtype === "int64") return { dtype, shape, data: new BigInt64Array(sizeOf(shape)) }
  return { dtype, shape, data: new Uint8Array(sizeOf(shape)) }
}
