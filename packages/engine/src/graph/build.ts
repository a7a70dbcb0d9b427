import { Graph, type Value } from "./graph.ts"
import type { ConvAttributes, OpAttributes, ScatterReduction } from "./ops.ts"
import { type DataType, floatTensor, intTensor, isSameShape, type Shape, sizeOf } from "./tensor.ts"

/** Names that read like the formula, for building graphs. Plain numbers become scalar constants. */
type Operand = Value | number

function asValue(operand: Operand, graph: Graph): Value {
  return typeof operand === "number" ? graph.constant(floatTensor([], Float32Array.of(operand)), "scalar") : operand
}

function graphOf(...operands: readonly Operand[]): Graph {
  for (const operand of operands) if (typeof operand !== "number") return operand.graph
  return new Graph()
}

function first(values: readonly Value[]): Value {
  return values[0] as Value
}

/** An axis counted from the front; negative ones count from the end. */
function fromStart(axis: number, { shape }: Value): number {
  return axis < 0 ? axis + shape.length : axis
}

const binary =
  (op: "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Max" | "Min" | "Greater" | "GreaterOrEqual" | "Less" | "Equal") =>
  (a: Operand, b: Operand): Value => {
    const graph = graphOf(a, b)
    return first(graph.add(op, [asValue(a, graph), asValue(b, graph)], {}))
  }

export const add = binary("Add")
export const sub = binary("Sub")
export const mul = binary("Mul")
export const div = binary("Div")
export const pow = binary("Pow")
export const max = binary("Max")
export const min = binary("Min")
export const greater = binary("Greater")
export const greaterOrEqual = binary("GreaterOrEqual")
export const less = binary("Less")
export const equal = binary("Equal")

const logical =
  (op: "And" | "Or" | "Xor") =>
  (a: Value, b: Value): Value =>
    first(a.graph.add(op, [a, b], {}))

export const and = logical("And")
export const or = logical("Or")
export const xor = logical("Xor")

const unary =
  (
    op:
      | "Neg"
      | "Abs"
      | "Sign"
      | "Exp"
      | "Log"
      | "Sqrt"
      | "Reciprocal"
      | "Sin"
      | "Cos"
      | "Sigmoid"
      | "Tanh"
      | "Erf"
      | "Softplus"
      | "Floor"
      | "Ceil"
      | "Round"
      | "Not"
      | "Relu"
      | "Gelu"
      | "Identity"
      | "GlobalAveragePool"
      | "StopGradient",
  ) =>
  (x: Value): Value =>
    first(x.graph.add(op, [x], {}))

export const neg = unary("Neg")
export const abs = unary("Abs")
export const sign = unary("Sign")
export const exp = unary("Exp")
export const log = unary("Log")
export const sqrt = unary("Sqrt")
export const reciprocal = unary("Reciprocal")
export const sin = unary("Sin")
export const cos = unary("Cos")
export const sigmoid = unary("Sigmoid")
export const tanh = unary("Tanh")
export const erf = unary("Erf")
/** log(1 + exp(x)) */
export const softplus = unary("Softplus")
export const floor = unary("Floor")
export const ceil = unary("Ceil")
/** To the nearest whole number, halves to the even one. */
export const round = unary("Round")
export const not = unary("Not")
export const relu = unary("Relu")
/** x (1 + erf(x / sqrt(2))) / 2, Hendrycks & Gimpel 2016 */
export const gelu = unary("Gelu")
export const identity = unary("Identity")
/** Mean over all positions: [N, C, H, W] to [N, C, 1, 1]. */
export const globalAveragePool = unary("GlobalAveragePool")
/** The value itself, through which no gradient flows back. */
export const stopGradient = unary("StopGradient")

/** max(0, min(1, alpha x + beta)) */
export function hardSigmoid(x: Value, alpha: number, beta: number): Value {
  return first(x.graph.add("HardSigmoid", [x], { alpha, beta }))
}

/** x above zero, alpha x below */
export function leakyRelu(x: Value, alpha: number): Value {
  return first(x.graph.add("LeakyRelu", [x], { alpha }))
}

/** x above zero, alpha (exp(x) - 1) below */
export function elu(x: Value, alpha: number): Value {
  return first(x.graph.add("Elu", [x], { alpha }))
}

const largestFloat = 3.4028234663852886e38

/** min(high, max(low, x)); an infinite bound bounds nothing. */
export function clip(x: Value, low: number, high: number): Value {
  return first(x.graph.add("Clip", [x], { low: Math.max(low, -largestFloat), high: Math.min(high, largestFloat) }))
}

/** The value itself; the gradient that flows back is multiplied by a scalar. */
export function scaleGradient(x: Value, factor: Value): Value {
  return first(x.graph.add("ScaleGradient", [x, factor], {}))
}

/** Elementwise choice: `a` where the condition holds, else `b`. */
export function where(condition: Value, a: Operand, b: Operand): Value {
  const { graph } = condition
  return first(graph.add("Where", [condition, asValue(a, graph), asValue(b, graph)], {}))
}

export function cast(x: Value, to: DataType): Value {
  return x.dtype === to ? x : first(x.graph.add("Cast", [x], { to }))
}

const reduce =
  (op: "ReduceSum" | "ReduceMean" | "ReduceMax") =>
  (x: Value, axes: readonly number[] = x.shape.map((_, axis) => axis), keepdims = false): Value =>
    axes.length === 0 ? x : first(x.graph.add(op, [x], { axes: axes.map((axis) => fromStart(axis, x)), keepdims }))

/** Reductions run over all axes unless some are named. */
export const reduceSum = reduce("ReduceSum")
export const reduceMean = reduce("ReduceMean")
export const reduceMax = reduce("ReduceMax")

/** Position of the largest element along an axis (the first of equals), as `int64`. */
export function argMax(x: Value, axis: number, keepdims: boolean): Value {
  return first(x.graph.add("ArgMax", [x], { axis: fromStart(axis, x), keepdims }))
}

export function matMul(a: Value, b: Value): Value {
  return first(a.graph.add("MatMul", [a, b], {}))
}

/** `alpha * a * b` of stacks of matrices [.., M, K] and [.., K, N], the last two axes of each swapped first where asked. */
export function fusedMatMul(a: Value, b: Value, { transA = false, transB = false, alpha = 1 } = {}): Value {
  return first(a.graph.add("FusedMatMul", [a, b], { alpha, transA, transB }))
}

/** `alpha * a * b` of matrices, each transposed first where asked. */
export function gemm(a: Value, b: Value, { transA = false, transB = false, alpha = 1 } = {}): Value {
  return first(a.graph.add("Gemm", [a, b], { alpha, transA, transB }))
}

/** Convolution of [N, C, H, W] with [O, C/group, KH, KW]. */
export function conv(x: Value, weight: Value, attributes: Partial<ConvAttributes> = {}): Value {
  return first(x.graph.add("Conv", [x, weight], convAttributes(attributes)))
}

/** The opposite of a convolution: [N, C, H, W] with [C, O/group, KH, KW] to [N, O, OH, OW]. */
export function convTranspose(
  x: Value,
  weight: Value,
  { outputPadding = [0, 0], ...rest }: Partial<OpAttributes["ConvTranspose"]> = {},
): Value {
  return first(x.graph.add("ConvTranspose", [x, weight], { ...convAttributes(rest), outputPadding }))
}

export function convAttributes({
  strides = [1, 1],
  pads = [0, 0, 0, 0],
  dilations = [1, 1],
  group = 1,
}: Partial<ConvAttributes>): ConvAttributes {
  return { strides, pads, dilations, group }
}

export function reshape(x: Value, shape: Shape): Value {
  return isSameShape(x.shape, shape) ? x : first(x.graph.add("Reshape", [x], { shape }))
}

/** Moves axes; what was moved before is moved once. */
export function transpose(x: Value, perm: readonly number[]): Value {
  const before = x.graph.producerOf(x)
  if (before?.op === "Transpose") {
    const { perm: first } = before.attributes
    return transpose(
      before.inputs[0] as Value,
      perm.map((axis) => first[axis] as number),
    )
  }
  return perm.every((axis, index) => axis === index) ? x : first(x.graph.add("Transpose", [x], { perm }))
}

export function expand(x: Value, shape: Shape): Value {
  return isSameShape(x.shape, shape) ? x : first(x.graph.add("Expand", [x], { shape }))
}

export function concat(parts: readonly Value[], axis: number): Value {
  const head = parts[0] as Value
  return parts.length === 1 ? head : first(head.graph.add("Concat", parts, { axis }))
}

export function split(x: Value, axis: number, lengths: readonly number[]): readonly Value[] {
  return x.graph.add("Split", [x], { axis, split: lengths })
}

/** The part start..end (exclusive) of one axis, in steps. */
export function slice(x: Value, axis: number, start: number, end: number, step = 1): Value {
  return first(x.graph.add("Slice", [x], { starts: [start], ends: [end], axes: [axis], steps: [step] }))
}

/** Zero padding: lengths before each axis, then after each axis; negative ones cut. */
export function pad(x: Value, pads: readonly number[]): Value {
  return pads.every((length) => length === 0) ? x : first(x.graph.add("Pad", [x], { pads }))
}

export function softmax(x: Value, axis = x.shape.length - 1): Value {
  return first(x.graph.add("Softmax", [x], { axis }))
}

export function logSoftmax(x: Value, axis = x.shape.length - 1): Value {
  return first(x.graph.add("LogSoftmax", [x], { axis }))
}

/** Class indices [..] (int64) to indicator rows [.., depth] (float32). */
export function oneHot(indices: Value, depth: number): Value {
  return first(indices.graph.add("OneHot", [indices], { depth }))
}

/** The k largest (or smallest) along an axis, the first of them first, and their positions. */
export function topK(
  x: Value,
  k: number,
  axis = x.shape.length - 1,
  largest = true,
): { values: Value; indices: Value } {
  const [values, indices] = x.graph.add("TopK", [x], { k, axis: fromStart(axis, x), largest })
  return { values: values as Value, indices: indices as Value }
}

/**
 * (x - mean) / sqrt(variance + epsilon) * scale + bias over all axes from `axis` on.
 *
 * @param scale,bias of the shape of those axes
 */
export function layerNormalization(x: Value, scale: Value, bias: Value, axis: number, epsilon: number): Value {
  return first(x.graph.add("LayerNormalization", [x, scale, bias], { axis: fromStart(axis, x), epsilon }))
}

/** The largest element of every window over [N, C, H, W], and where in the flattened input it stands (`int64`). */
export function maxPool(x: Value, attributes: OpAttributes["MaxPool"]): readonly [Value, Value] {
  const [values, indices] = x.graph.add("MaxPool", [x], attributes)
  return [values as Value, indices as Value]
}

/** The mean of every window over [N, C, H, W]; `countIncludePad` says whether padding counts as zeros. */
export function averagePool(x: Value, attributes: OpAttributes["AveragePool"]): Value {
  return first(x.graph.add("AveragePool", [x], attributes))
}

/** Every position of [N, C, H, W] repeated so many times down and across; whole numbers from 1 on. */
export function resize(x: Value, times: readonly [number, number]): Value {
  const made = x.graph.producerOf(x)
  if (made?.op === "Resize") {
    const [down, across] = made.attributes.times
    return resize(first(made.inputs), [down * times[0], across * times[1]])
  }
  return first(x.graph.add("Resize", [x], { times }))
}

/** The parts of `data` at positions along an axis: the axis is replaced by the axes of `indices`. */
export function gather(data: Value, indices: Value, axis: number): Value {
  return first(data.graph.add("Gather", [data, indices], { axis: fromStart(axis, data) }))
}

/** The element of `data` at each position along an axis, all other positions being its own. */
export function gatherElements(data: Value, indices: Value, axis: number): Value {
  return first(data.graph.add("GatherElements", [data, indices], { axis: fromStart(axis, data) }))
}

/** The parts of `data` at positions [.., k] along its first k axes. */
export function gatherND(data: Value, indices: Value): Value {
  return first(data.graph.add("GatherND", [data, indices], {}))
}

/** `data` with each update put, or added, at its position along an axis; the opposite of `gatherElements`. */
export function scatterElements(
  data: Value,
  indices: Value,
  updates: Value,
  axis: number,
  reduction: ScatterReduction,
): Value {
  const attributes = { axis: fromStart(axis, data), reduction }
  return first(data.graph.add("ScatterElements", [data, indices, updates], attributes))
}

/**
 * `data` with each update put, or added, at its positions along the first axes; the opposite of `gatherND`.
 *
 * ONNX Runtime's `ScatterND` spreads updates over threads without locks, so that additions to one place are lost. Adding
 * is therefore written as `ScatterElements` on rows, which gives every column to one thread.
 */
export function scatterND(data: Value, indices: Value, updates: Value, reduction: ScatterReduction): Value {
  if (reduction === "none") return first(data.graph.add("ScatterND", [data, indices, updates], {}))
  const depth = indices.shape.at(-1) as number
  const lengths = data.shape.slice(0, depth)
  const width = sizeOf(data.shape.slice(depth))
  const count = sizeOf(indices.shape.slice(0, -1))
  const rows = expand(reshape(rowsAt(indices, lengths), [count, 1]), [count, width])
  const flat = reshape(data, [sizeOf(lengths), width])
  return reshape(scatterElements(flat, rows, reshape(updates, [count, width]), 0, "add"), data.shape)
}

/** Positions [.., k] along axes of the given lengths as positions along one axis that holds them all. */
function rowsAt(indices: Value, lengths: Shape): Value {
  const whole = (values: readonly number[]) => indices.graph.constant(intTensor([values.length], values), "lengths")
  const isFromEnd = less(indices, whole([0]))
  const fromStart = where(isFromEnd, add(indices, whole(lengths)), indices)
  const strides = lengths.map((_, axis) => sizeOf(lengths.slice(axis + 1)))
  return reduceSum(mul(fromStart, whole(strides)), [-1])
}
