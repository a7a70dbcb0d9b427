import type { OnnxAttribute } from "./onnx-attribute.ts"
import type { DataType, Shape } from "./tensor.ts"

type None = Record<never, never>

/** Attributes of a two-dimensional convolution; pads are [top, left, bottom, right]. */
export interface ConvAttributes {
  readonly strides: readonly [number, number]
  readonly pads: readonly [number, number, number, number]
  readonly dilations: readonly [number, number]
  readonly group: number
}

/** A product of matrices: a factor, and which of the two are transposed first (their last two axes). */
export interface ProductAttributes {
  readonly alpha: number
  readonly transA: boolean
  readonly transB: boolean
}

/** A window that moves over [N, C, H, W]; pads are [top, left, bottom, right]. */
export interface PoolAttributes {
  readonly kernel: readonly [number, number]
  readonly strides: readonly [number, number]
  readonly pads: readonly [number, number, number, number]
  /** Keeps a last window that reaches over the end, if it starts inside the input or the padding before it. */
  readonly ceil: boolean
}

/** How updates meet what a scatter finds: they replace it, or are added to it. */
export type ScatterReduction = "none" | "add"

/** Axes are non-negative; with `keepdims` a reduced axis stays with length one. */
export interface ReduceAttributes {
  readonly axes: readonly number[]
  readonly keepdims: boolean
}

/** How numbers are written on eight bits, 0..255: q stands for `(q - zeroPoint) * scale`. */
export interface Quantization {
  readonly scale: number
  readonly zeroPoint: number
}

/** A node of an ONNX file that stays as it stands there. */
export interface ForeignAttributes {
  readonly op: string
  /** `""` is ONNX's own. */
  readonly domain: string
  /** Version of its domain that the node is written in. */
  readonly version: number
  /** Unique in its file, so that equal nodes of random numbers stay two. */
  readonly name: string
  readonly attributes: Readonly<Record<string, OnnxAttribute>>
  /** Where its inputs stand in the node's list, which may leave some out. */
  readonly inputs: readonly number[]
  /** The outputs that it gives, and where they stand. */
  readonly outputs: readonly { readonly position: number; readonly dtype: DataType; readonly shape: Shape }[]
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
  Pow: None
  Max: None
  Min: None
  Neg: None
  Abs: None
  Sign: None
  Exp: None
  Log: None
  Sqrt: None
  Reciprocal: None
  Sin: None
  Cos: None
  Sigmoid: None
  Tanh: None
  Erf: None
  /** log(1 + exp(x)) */
  Softplus: None
  Floor: None
  Ceil: None
  /** To the nearest whole number, halves to the even one. */
  Round: None
  Relu: None
  /** x times the normal distribution's share below x: x (1 + erf(x / sqrt(2))) / 2 (domain com.microsoft) */
  Gelu: None
  /** x above zero, alpha x below */
  LeakyRelu: { readonly alpha: number }
  /** x above zero, alpha (exp(x) - 1) below */
  Elu: { readonly alpha: number }
  /** min(high, max(low, x)), both bounds finite */
  Clip: { readonly low: number; readonly high: number }
  /** max(0, min(1, alpha x + beta)) */
  HardSigmoid: { readonly alpha: number; readonly beta: number }
  Identity: None
  // comparisons and choices
  Greater: None
  GreaterOrEqual: None
  Less: None
  Equal: None
  Not: None
  And: None
  Or: None
  Xor: None
  Where: None
  Cast: { readonly to: DataType }
  // reductions
  ReduceSum: ReduceAttributes
  ReduceMean: ReduceAttributes
  ReduceMax: ReduceAttributes
  /** Position of the largest element, the first of equals, as `int64`. */
  ArgMax: { readonly axis: number; readonly keepdims: boolean }
  // products
  MatMul: None
  Gemm: ProductAttributes
  /** alpha op(a) op(b) of stacks of matrices, as `MatMul` broadcasts them (domain com.microsoft). */
  FusedMatMul: ProductAttributes
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
  /** Zero padding: lengths before each axis, then lengths after each axis; negative ones cut. */
  Pad: { readonly pads: readonly number[] }
  /** Repeats every position of [N, C, H, W] as often down and across as `times` says: nearest-neighbour upsampling. */
  Resize: { readonly times: readonly [number, number] }
  // movement by positions that the graph computes; positions are `int64` and may be negative, counted from the end
  Gather: { readonly axis: number }
  GatherElements: { readonly axis: number }
  GatherND: None
  ScatterElements: { readonly axis: number; readonly reduction: ScatterReduction }
  /** Puts updates; adding is built on `ScatterElements`, see `scatterND`. */
  ScatterND: None
  // normalisation, pooling, classification
  BatchNormalization: { readonly epsilon: number; readonly training: boolean }
  /** Outputs: y, mean and inverse standard deviation over the axes from `axis` on. */
  LayerNormalization: { readonly axis: number; readonly epsilon: number }
  /** Outputs: y, and where in the flattened input each element was found (`int64`). */
  MaxPool: PoolAttributes & { readonly dilations: readonly [number, number] }
  AveragePool: PoolAttributes & { readonly countIncludePad: boolean }
  GlobalAveragePool: None
  Softmax: { readonly axis: number }
  LogSoftmax: { readonly axis: number }
  OneHot: { readonly depth: number }
  TopK: { readonly k: number; readonly axis: number; readonly largest: boolean }
  // on eight bits: a number q of type uint8 stands for (q - zeroPoint) * scale; weights are int8 with zero point 0
  QuantizeLinear: Quantization
  DequantizeLinear: Quantization
  /** Inputs: x uint8, weight int8, its scales [O], bias int32 [O] in units of x's scale times the weight's. */
  QLinearConv: ConvAttributes & { readonly from: Quantization; readonly to: Quantization }
  /** Two uint8 tensors of one shape. */
  QLinearAdd: { readonly from: readonly [Quantization, Quantization]; readonly to: Quantization }
  /** Inputs: x uint8 [..., K], weight int8 [K, N], its scales [N]; the product is float32. */
  MatMulIntegerToFloat: { readonly from: Quantization }
  // taken over from a file, without a gradient
  Foreign: ForeignAttributes
  // ONNX Runtime's blocked layout [N, C/block, H, W, block], see docs/findings
  NchwcReorderInput: None
  NchwcReorderOutput: { readonly channels: number }
  NchwcConv: ConvAttributes & { readonly channels: number }
  /** ONNX Runtime's own convolution of x with w, plus bias [O] and a tensor of the output's shape, all in one pass. */
  FusedConv: ConvAttributes
  // before lowering
  StopGradient: None
  ScaleGradient: None
  ConvInputGradient: ConvAttributes & { readonly inputShape: Shape }
  ConvWeightGradient: ConvAttributes & { readonly weightShape: Shape }
  /** u a + v b + c for [N, C, ...] u and v, and a, b, c [C] */
  ChannelBlend: None
}

export type OpType = keyof OpAttributes
