import { Graph, type Value } from "./graph.ts"
import type { ConvAttributes } from "./ops.ts"
import { type DataType, floatTensor, isSameShape, type Shape } from "./tensor.ts"

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

const binary =
  (op: "Add" | "Sub" | "Mul" | "Div" | "Max" | "Min" | "Greater" | "GreaterOrEqual" | "Less" | "Equal") =>
  (a: Operand, b: Operand): Value => {
    const graph = graphOf(a, b)
    return first(graph.add(op, [asValue(a, graph), asValue(b, graph)], {}))
  }

export const add = binary("Add")
export const sub = binary("Sub")
export const mul = binary("Mul")
export const div = binary("Div")
export const max = binary("Max")
export const min = binary("Min")
export const greater = binary("Greater")
export const greaterOrEqual = binary("GreaterOrEqual")
export const less = binary("Less")
export const equal = binary("Equal")

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
      | "Cos"
      | "Relu"
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
export const cos = unary("Cos")
export const relu = unary("Relu")
export const identity = unary("Identity")
/** Mean over all positions: [N, C, H, W] to [N, C, 1, 1]. */
export const globalAveragePool = unary("GlobalAveragePool")
/** The value itself, through which no gradient flows back. */
export const stopGradient = unary("StopGradient")

/** max(0, min(1, alpha x + beta)) */
export function hardSigmoid(x: Value, alpha: number, beta: number): Value {
  return first(x.graph.add("HardSigmoid", [x], { alpha, beta }))
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
    axes.length === 0
      ? x
      : first(x.graph.add(op, [x], { axes: axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis)), keepdims }))

/** Reductions run over all axes unless some are named. */
export const reduceSum = reduce("ReduceSum")
export const reduceMean = reduce("ReduceMean")
export const reduceMax = reduce("ReduceMax")

export function matMul(a: Value, b: Value): Value {
  return first(a.graph.add("MatMul", [a, b], {}))
}

/** `alpha * a * b` of matrices, each transposed first where asked. */
export function gemm(a: Value, b: Value, { transA = false, transB = false, alpha = 1 } = {}): Value {
  return first(a.graph.add("Gemm", [a, b], { alpha, transA, transB }))
}

/** Convolution of [N, C, H, W] with [O, C/group, KH, KW]. */
export function conv(x: Value, weight: Value, attributes: Partial<ConvAttributes> = {}): Value {
  return first(x.graph.add("Conv", [x, weight], convAttributes(attributes)))
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

export function transpose(x: Value, perm: readonly number[]): Value {
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

/** Zero padding: lengths before each axis, then after each axis. */
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

/** The k largest along an axis in falling order, and their positions. */
export function topK(x: Value, k: number, axis = x.shape.length - 1): { values: Value; indices: Value } {
  const [values, indices] = x.graph.add("TopK", [x], { k, axis })
  return { values: values as Value, indices: indices as Value }
}
