import { LearnlossError } from "../errors.ts"
import type { ConvAttributes, OpAttributes, OpType, ReduceAttributes } from "./ops.ts"
import { type DataType, type Shape, sizeOf } from "./tensor.ts"

/** What a shape rule reads and gives. */
export interface TypedShape {
  readonly dtype: DataType
  readonly shape: Shape
}

type ShapeRule<K extends OpType> = (inputs: readonly TypedShape[], attributes: OpAttributes[K]) => TypedShape[]

/** Thrown inside rules; `inferOutputs` adds which node it was. */
class Mismatch extends Error {
  readonly expected: string
  readonly got: string

  constructor(expected: string, got: string) {
    super(`expected ${expected}, got ${got}`)
    this.expected = expected
    this.got = got
  }
}

function at(inputs: readonly TypedShape[], position: number): TypedShape {
  const input = inputs[position]
  if (input === undefined) throw new Mismatch(`at least ${position + 1} inputs`, `${inputs.length}`)
  return input
}

function axis(shape: Shape, index: number): number {
  const length = shape[index]
  if (length === undefined) throw new Mismatch(`an axis ${index}`, `shape [${shape.join(", ")}]`)
  return length
}

function expectDtype(input: TypedShape, dtype: DataType): void {
  if (input.dtype !== dtype) throw new Mismatch(dtype, input.dtype)
}

function expectRank(input: TypedShape, rank: number): void {
  if (input.shape.length !== rank) throw new Mismatch(`${rank} axes`, `shape [${input.shape.join(", ")}]`)
}

/** NumPy broadcasting of two shapes. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, index) => {
    const left = a[index - rank + a.length] ?? 1
    const right = b[index - rank + b.length] ?? 1
    if (left !== right && left !== 1 && right !== 1) {
      throw new Mismatch("shapes that broadcast", `[${a.join(", ")}] and [${b.join(", ")}]`)
    }
    return left === 1 ? right : left
  })
}

const unary = (inputs: readonly TypedShape[]): TypedShape[] => [at(inputs, 0)]

function binary(inputs: readonly TypedShape[]): TypedShape[] {
  const [a, b] = [at(inputs, 0), at(inputs, 1)]
  expectDtype(b, a.dtype)
  return [{ dtype: a.dtype, shape: broadcastShapes(a.shape, b.shape) }]
}

const comparison = (inputs: readonly TypedShape[]): TypedShape[] =>
  binary(inputs).map(({ shape }) => ({ dtype: "bool", shape }))

function reduce(inputs: readonly TypedShape[], { axes, keepdims }: ReduceAttributes): TypedShape[] {
  const { dtype, shape } = at(inputs, 0)
  for (const index of axes) axis(shape, index)
  const kept = shape.map((length, index) => (axes.includes(index) ? 1 : length))
  return [{ dtype, shape: keepdims ? kept : shape.filter((_, index) => !axes.includes(index)) }]
}

/** Output length of a convolution along one axis. */
export function convLength(length: number, kernel: number, stride: number, padding: number, dilation: number): number {
  return Math.floor((length + padding - dilation * (kernel - 1) - 1) / stride) + 1
}

function conv(inputs: readonly TypedShape[], { strides, pads, dilations, group }: ConvAttributes): TypedShape[] {
  const [x, w] = [at(inputs, 0), at(inputs, 1)]
  expectDtype(x, "float32")
  expectRank(x, 4)
  expectRank(w, 4)
  const [n, c, h, width] = x.shape as [number, number, number, number]
  const [o, cPerGroup, kh, kw] = w.shape as [number, number, number, number]
  if (c !== cPerGroup * group || o % group !== 0) {
    throw new Mismatch(
      `${cPerGroup * group} input channels in ${group} groups`,
      `input [${x.shape.join(", ")}], weight [${w.shape.join(", ")}]`,
    )
  }
  const outH = convLength(h, kh, strides[0], pads[0] + pads[2], dilations[0])
  const outW = convLength(width, kw, strides[1], pads[1] + pads[3], dilations[1])
  if (outH < 1 || outW < 1) throw new Mismatch("an input at least as large as the kernel", `[${x.shape.join(", ")}]`)
  return [{ dtype: "float32", shape: [n, o, outH, outW] }]
}

function matMul(inputs: readonly TypedShape[]): TypedShape[] {
  const [a, b] = [at(inputs, 0), at(inputs, 1)]
  if (a.shape.length < 2 || b.shape.length < 2 || a.shape.at(-1) !== b.shape.at(-2)) {
    throw new Mismatch("matrices of matching inner length", `[${a.shape.join(", ")}] and [${b.shape.join(", ")}]`)
  }
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2))
  return [{ dtype: a.dtype, shape: [...batch, a.shape.at(-2) as number, b.shape.at(-1) as number] }]
}

/** The total table of shape rules; adding an op without one breaks the build. */
export const shapeRules: { readonly [K in OpType]: ShapeRule<K> } = {
  Add: binary,
  Sub: binary,
  Mul: binary,
  Div: binary,
  Max: binary,
  Min: binary,
  Neg: unary,
  Abs: unary,
  Sign: unary,
  Exp: unary,
  Log: unary,
  Sqrt: unary,
  Reciprocal: unary,
  Cos: unary,
  Relu: unary,
  HardSigmoid: unary,
  Identity: unary,
  Greater: comparison,
  GreaterOrEqual: comparison,
  Less: comparison,
  Equal: comparison,
  Where: (inputs) => {
    expectDtype(at(inputs, 0), "bool")
    const [chosen] = binary([at(inputs, 1), at(inputs, 2)]) as [TypedShape]
    return [{ dtype: chosen.dtype, shape: broadcastShapes(at(inputs, 0).shape, chosen.shape) }]
  },
  Cast: (inputs, { to }) => [{ dtype: to, shape: at(inputs, 0).shape }],
  ReduceSum: reduce,
  ReduceMean: reduce,
  ReduceMax: reduce,
  MatMul: matMul,
  Gemm: (inputs, { transA, transB }) => {
    const [a, b] = [at(inputs, 0), at(inputs, 1)]
    expectRank(a, 2)
    expectRank(b, 2)
    const [m, k] = transA ? [a.shape[1], a.shape[0]] : a.shape
    const [k2, n] = transB ? [b.shape[1], b.shape[0]] : b.shape
    if (k !== k2) throw new Mismatch("matching inner lengths", `[${a.shape.join(", ")}] and [${b.shape.join(", ")}]`)
    return [{ dtype: a.dtype, shape: [m as number, n as number] }]
  },
  Conv: conv,
  ConvTranspose: (inputs, { strides, pads, dilations, group, outputPadding }) => {
    const [x, w] = [at(inputs, 0), at(inputs, 1)]
    expectRank(x, 4)
    expectRank(w, 4)
    const length = (index: 0 | 1) =>
      (axis(x.shape, 2 + index) - 1) * strides[index] +
      outputPadding[index] +
      dilations[index] * (axis(w.shape, 2 + index) - 1) +
      1 -
      pads[index] -
      pads[(index + 2) as 2 | 3]
    return [{ dtype: x.dtype, shape: [axis(x.shape, 0), axis(w.shape, 1) * group, length(0), length(1)] }]
  },
  Reshape: (inputs, { shape }) => {
    const x = at(inputs, 0)
    if (sizeOf(shape) !== sizeOf(x.shape))
      throw new Mismatch(`${sizeOf(x.shape)} elements`, `shape [${shape.join(", ")}]`)
    return [{ dtype: x.dtype, shape }]
  },
  Transpose: (inputs, { perm }) => {
    const x = at(inputs, 0)
    if (perm.length !== x.shape.length) throw new Mismatch(`${x.shape.length} axes`, `permutation [${perm.join(", ")}]`)
    return [{ dtype: x.dtype, shape: perm.map((index) => axis(x.shape, index)) }]
  },
  Expand: (inputs, { shape }) => [{ dtype: at(inputs, 0).dtype, shape: broadcastShapes(at(inputs, 0).shape, shape) }],
  Concat: (inputs, { axis: along }) => {
    const first = at(inputs, 0)
    for (const { shape } of inputs) {
      if (
        shape.length !== first.shape.length ||
        shape.some((length, index) => index !== along && length !== first.shape[index])
      ) {
        throw new Mismatch(
          `shapes equal outside axis ${along}`,
          inputs.map((input) => `[${input.shape.join(", ")}]`).join(", "),
        )
      }
    }
    const total = inputs.reduce((sum, { shape }) => sum + axis(shape, along), 0)
    return [{ dtype: first.dtype, shape: first.shape.map((length, index) => (index === along ? total : length)) }]
  },
  Split: (inputs, { axis: along, split }) => {
    const x = at(inputs, 0)
    const total = split.reduce((sum, length) => sum + length, 0)
    if (total !== axis(x.shape, along))
      throw new Mismatch(`parts that add up to ${axis(x.shape, along)}`, split.join(" + "))
    return split.map((part) => ({
      dtype: x.dtype,
      shape: x.shape.map((length, index) => (index === along ? part : length)),
    }))
  },
  Slice: (inputs, { starts, ends, axes, steps }) => {
    const x = at(inputs, 0)
    const shape = [...x.shape]
    for (const [index, along] of axes.entries()) {
      const length = axis(x.shape, along)
      const step = steps[index] as number
      const clamp = (position: number, low: number, high: number) =>
        Math.min(Math.max(position < 0 ? position + length : position, low), high)
      const start = clamp(starts[index] as number, 0, step < 0 ? length - 1 : length)
      const end = clamp(ends[index] as number, step < 0 ? -1 : 0, length)
      shape[along] = Math.max(0, Math.ceil((end - start) / step))
    }
    return [{ dtype: x.dtype, shape }]
  },
  Pad: (inputs, { pads }) => {
    const x = at(inputs, 0)
    const rank = x.shape.length
    if (pads.length !== 2 * rank) throw new Mismatch(`${2 * rank} pads`, `${pads.length}`)
    return [
      {
        dtype: x.dtype,
        shape: x.shape.map((length, index) => length + (pads[index] as number) + (pads[index + rank] as number)),
      },
    ]
  },
  BatchNormalization: (inputs, { training }) => {
    const x = at(inputs, 0)
    const channels = axis(x.shape, 1)
    for (const parameter of [1, 2, 3, 4]) {
      if (axis(at(inputs, parameter).shape, 0) !== channels)
        throw new Mismatch(`${channels} channels`, `${at(inputs, parameter).shape[0]}`)
    }
    const statistic: TypedShape = { dtype: "float32", shape: [channels] }
    return training ? [x, statistic, statistic] : [x]
  },
  GlobalAveragePool: (inputs) => {
    const x = at(inputs, 0)
    return [{ dtype: x.dtype, shape: x.shape.map((length, index) => (index < 2 ? length : 1)) }]
  },
  Softmax: unary,
  LogSoftmax: unary,
  OneHot: (inputs, { depth }) => {
    expectDtype(at(inputs, 0), "int64")
    return [{ dtype: "float32", shape: [...at(inputs, 0).shape, depth] }]
  },
  TopK: (inputs, { k, axis: along }) => {
    const x = at(inputs, 0)
    if (k > axis(x.shape, along)) throw new Mismatch(`k of at most ${axis(x.shape, along)}`, `${k}`)
    const shape = x.shape.map((length, index) => (index === along ? k : length))
    return [
      { dtype: x.dtype, shape },
      { dtype: "int64", shape },
    ]
  },
  // The block is the innermost axis only in memory; ONNX Runtime keeps the logical shape [N, C, H, W].
  NchwcReorderInput: unary,
  NchwcReorderOutput: (inputs, { channels }) => [
    { dtype: "float32", shape: at(inputs, 0).shape.map((length, index) => (index === 1 ? channels : length)) },
  ],
  NchwcConv: (inputs, attributes) => conv(inputs, attributes),
  StopGradient: unary,
  ScaleGradient: unary,
  ConvInputGradient: (_, { inputShape }) => [{ dtype: "float32", shape: inputShape }],
  ConvWeightGradient: (_, { weightShape }) => [{ dtype: "float32", shape: weightShape }],
}

/**
 * Types and shapes of a node's outputs.
 *
 * @throws LearnlossError `GRAPH_SHAPE` naming the node
 */
export function inferOutputs<K extends OpType>(
  op: K,
  inputs: readonly TypedShape[],
  attributes: OpAttributes[K],
  nodeName: string,
): TypedShape[] {
  try {
    return shapeRules[op](inputs, attributes)
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error
    throw new LearnlossError("GRAPH_SHAPE", { where: `node ${nodeName}`, expected: error.expected, got: error.got })
  }
}
