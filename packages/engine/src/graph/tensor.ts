import { LearnlossError } from "../errors.ts"

/** Element types that graphs use. Only `float32` carries gradients; the last three are those of quantised graphs. */
export type DataType = "float32" | "int64" | "bool" | "uint8" | "int8" | "int32"

/** Static sizes per axis, outermost first; `[]` is a scalar. */
export type Shape = readonly number[]

/** Row-major data with its type and shape; `bool` holds one byte an element. */
export type Tensor =
  | { readonly dtype: "float32"; readonly shape: Shape; readonly data: Float32Array }
  | { readonly dtype: "int64"; readonly shape: Shape; readonly data: BigInt64Array }
  | { readonly dtype: "bool" | "uint8"; readonly shape: Shape; readonly data: Uint8Array }
  | { readonly dtype: "int8"; readonly shape: Shape; readonly data: Int8Array }
  | { readonly dtype: "int32"; readonly shape: Shape; readonly data: Int32Array }

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

/** A tensor of any type, filled position by position. */
export function filledTensor(dtype: DataType, shape: Shape, at: (position: number) => number | bigint): Tensor {
  const length = sizeOf(shape)
  const number = (_: unknown, position: number) => Number(at(position))
  switch (dtype) {
    case "float32":
      return { dtype, shape, data: Float32Array.from({ length }, number) }
    case "int64":
      return { dtype, shape, data: BigInt64Array.from({ length }, (_, position) => BigInt(at(position))) }
    case "bool":
    case "uint8":
      return { dtype, shape, data: Uint8Array.from({ length }, number) }
    case "int8":
      return { dtype, shape, data: Int8Array.from({ length }, number) }
    case "int32":
      return { dtype, shape, data: Int32Array.from({ length }, number) }
  }
}

/** An `int64` tensor. */
export function intTensor(shape: Shape, values: readonly number[]): Tensor {
  return { dtype: "int64", shape, data: BigInt64Array.from(values, (value) => BigInt(value)) }
}

/** Zeros of any type, false where it is `bool`. */
export function zeroTensor(dtype: DataType, shape: Shape): Tensor {
  return dtype === "float32" ? floatTensor(shape) : filledTensor(dtype, shape, () => 0)
}
