import {
  abs,
  add,
  argMax,
  equal,
  exp,
  log,
  logSoftmax,
  matMul,
  mul,
  neg,
  reduceMax,
  reduceMean,
  reduceSum,
  reshape,
  softmax,
  sqrt,
  stopGradient,
  sub,
  topK,
  transpose,
  where,
} from "../../../graph/build.ts"
import type { Value } from "../../../graph/graph.ts"
import { sizeOf } from "../../../graph/tensor.ts"
import type { ImportContext, ImportRule } from "../rule.ts"
import { attributeOrInput, axesIn, axisIn, exportAgain, flattenedTo } from "./axes.ts"
import { constantTensor } from "./constants.ts"

type Reduce = (x: Value, axes: readonly number[], keepdims: boolean) => Value

/** Axes became an input in opset 13 for `ReduceSum` and in 18 for all others; none are all axes. */
const reduction = (reduce: Reduce, inputSince = 18): ImportRule => ({
  since: 11,
  gradient: true,
  build(c) {
    const x = c.input(0)
    const named = axesIn(c, attributeOrInput(c, "axes", inputSince) ?? [], x.shape.length)
    const isUnreduced = named.length === 0 && c.opset >= inputSince && c.int("noop_with_empty_axes", 0) !== 0
    if (isUnreduced) return reduce(x, [], true)
    const axes = named.length === 0 ? x.shape.map((_, axis) => axis) : named
    return reduce(x, axes, c.int("keepdims", 1) !== 0)
  },
})

/** log(sum(exp(x))), shifted by the largest so that nothing overflows; the shift cancels in the gradient. */
const logSumExp: Reduce = (x, axes, keepdims) => {
  const largest = stopGradient(reduceMax(x, axes, true))
  const sum = log(reduceSum(exp(sub(x, largest)), axes, true))
  return reshape(add(sum, largest), reduceMax(x, axes, keepdims).shape)
}

/** sqrt(sum(x^2)), whose gradient is zero where the sum is: 0 / 0 would end a training that meets one row of zeros. */
const norm: Reduce = (x, axes, keepdims) => {
  const sum = reduceSum(mul(x, x), axes, keepdims)
  const isZero = equal(sum, 0)
  return where(isZero, 0, sqrt(where(isZero, 1, sum)))
}

/** Before opset 13 the axis cuts x into a matrix whose rows are normalised; since then it is normalised by itself. */
const normalized = (normalize: (x: Value, axis: number) => Value): ImportRule => ({
  since: 11,
  gradient: true,
  build(c) {
    const x = c.input(0)
    if (c.opset >= 13) return normalize(x, axisIn(c, c.int("axis", -1), x.shape.length))
    return reshape(normalize(reshape(x, flattenedTo(c, x.shape, c.int("axis", 1))), 1), x.shape)
  },
})

const position = (pick: (x: Value) => Value): ImportRule => ({
  since: 11,
  gradient: false,
  build(c) {
    const x = c.input(0)
    if (c.int("select_last_index", 0) !== 0) return c.fail("the first of equal numbers", "select_last_index")
    return argMax(pick(x), axisIn(c, c.int("axis", 0), x.shape.length), c.int("keepdims", 1) !== 0)
  },
})

function largest(c: ImportContext): readonly Value[] {
  const x = c.input(0)
  const axis = axisIn(c, c.int("axis", -1), x.shape.length)
  const k = c.constantInts(1)?.[0]
  if (k === undefined || k < 0) return c.fail("a k of zero or more", String(k), exportAgain)
  const { values, indices } = topK(x, k, axis, c.int("largest", 1) !== 0)
  return [values, indices]
}

/** Running sums are a product with a triangle of ones. */
function runningSum(c: ImportContext): Value {
  const x = c.input(0)
  const rank = x.shape.length
  const axis = axisIn(c, c.constantInts(1)?.[0] ?? c.fail("an axis", "none", exportAgain), rank)
  if (x.dtype !== "float32") return c.fail("float32", x.dtype)
  const length = x.shape[axis] as number
  const [isExclusive, isReverse] = [c.int("exclusive", 0) !== 0, c.int("reverse", 0) !== 0]
  const triangle = constantTensor(c, "float32", [length, length], ([from = 0, to = 0]) => {
    const distance = isReverse ? from - to : to - from
    return Number(isExclusive ? distance > 0 : distance >= 0)
  })
  const swapped = x.shape.map((_, index) => (index === axis ? rank - 1 : index === rank - 1 ? axis : index))
  const last = transpose(x, swapped)
  const rows = reshape(last, [sizeOf(last.shape.slice(0, -1)), length])
  return transpose(reshape(matMul(rows, triangle), last.shape), swapped)
}

export const reductionRules = {
  ReduceSum: reduction(reduceSum, 13),
  ReduceMean: reduction(reduceMean),
  ReduceMax: reduction(reduceMax),
  ReduceMin: reduction((x, axes, keepdims) => neg(reduceMax(neg(x), axes, keepdims))),
  ReduceL1: reduction((x, axes, keepdims) => reduceSum(abs(x), axes, keepdims)),
  ReduceL2: reduction(norm),
  ReduceLogSum: reduction((x, axes, keepdims) => log(reduceSum(x, axes, keepdims))),
  ReduceLogSumExp: reduction(logSumExp),
  ReduceSumSquare: reduction((x, axes, keepdims) => reduceSum(mul(x, x), axes, keepdims)),
  Softmax: normalized(softmax),
  LogSoftmax: normalized(logSoftmax),
  ArgMax: position((x) => x),
  ArgMin: position(neg),
  TopK: { since: 11, gradient: true, build: largest },
  CumSum: { since: 11, gradient: true, build: runningSum },
} as const satisfies Readonly<Record<string, ImportRule>>
