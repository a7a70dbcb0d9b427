import type { DataType, Shape } from "./tensor.ts"

type None = Record<never, never>

/** Attributes of a two-dimensional convolution; pads are [top, left, bottom, right]. */
export interface ConvAttributes {
  readonly strides: readonly [number, number]
  readonly pads: readonly [number, number, number, number]
  readonly dilations: readonly [number, number]
  readonly group: number
}

/** Axes are non-negative; with `keepdims` a reduced axis stays with length one. */
export interface ReduceAttributes {
  readonly axes: readonly number[]
  readonly keepdims: boolean
}

/**
 * The op vocabulary: every op that a graph may hold, with its attributes.
 *
 * Ops are ONNX's (opset 17), save that what ONNX takes as constant inputs (axes, shapes, pads, slices) are attributes
 * here, since all shapes are static. Ops under "before lowering" exist only until `lower` replaces them.
 */
export interface OpAttributes {
  // elementwise, with NumPy broadcasting
  Add: None
  Sub: None
  Mul: None
  Div: None
  Max: None
  Min: None
  Neg: None
  Abs: None
  Sign: None
  Exp: None
  Log: None
  Sqrt: None
  Reciprocal: None
  Cos: None
  Relu: None
  /** max(0, min(1, alpha x + beta)) */
  HardSigmoid: { readonly alpha: number; readonly beta: number }
  Identity: None
  // comparisons and choices
  Greater: None
  GreaterOrEqual: None
  Less: None
  Equal: None
  Where: None
  Cast: { readonly to: DataType }
  // reductions
  ReduceSum: ReduceAttributes
  ReduceMean: ReduceAttributes
  ReduceMax: ReduceAttributes
  // products
  MatMul: None
  Gemm: { readonly alpha: number; readonly transA: boolean; readonly transB: boolean }
  Conv: ConvAttributes
  ConvTranspose: ConvAttributes & { readonly outputPadding: readonly [number, number] }
  // movement
  Reshape: { readonly shape: Shape }
  Transpose: { readonly perm: readonly number[] }
  Expand: { readonly shape: Shape }
  Concat: { readonly axis: number }
  Split: { readonly axis: number; readonly split: readonly number[] }
  Slice: {
    readonly starts: readonly number[]
    readonly ends: readonly number[]
    readonly axes: readonly number[]
    readonly steps: readonly number[]
  }
  /** Zero padding: lengths before each axis, then lengths after each axis. */
  Pad: { readonly pads: readonly number[] }
  // normalisation, pooling, classification
  BatchNormalization: { readonly epsilon: number; readonly training: boolean }
  GlobalAveragePool: None
  Softmax: { readonly axis: number }
  LogSoftmax: { readonly axis: number }
  OneHot: { readonly depth: number }
  TopK: { readonly k: number; readonly axis: number }
  // ONNX Runtime's blocked layout [N, C/block, H, W, block], see docs/findings
  NchwcReorderInput: None
  NchwcReorderOutput: { readonly channels: number }
  NchwcConv: ConvAttributes & { readonly channels: number }
  // before lowering
  StopGradient: None
  ScaleGradient: None
  ConvInputGradient: ConvAttributes & { readonly inputShape: Shape }
  ConvWeightGradient: ConvAttributes & { readonly weightShape: Shape }
}

export type OpType = keyof OpAttributes
