import type { DataType, Shape } from "./tensor.ts"

/** Value of an ONNX attribute, as plain data. */
export type OnnxAttribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | {
      readonly kind: "tensor"
      readonly value: { readonly dtype: DataType; readonly shape: Shape; readonly data: readonly number[] }
    }
