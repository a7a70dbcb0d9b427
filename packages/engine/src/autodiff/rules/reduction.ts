import { cast, div, equal, mul, reduceSum, reshape, softmax, sub } from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import type { OpType, ReduceAttributes } from "../../graph/ops.ts"
import { sizeOf } from "../../graph/tensor.ts"
import type { GradientRule } from "../rule.ts"

/** The gradient of a reduced value, with the reduced axes back as length one. */
function withReducedAxes(reduced: Value, x: Value, { axes }: ReduceAttributes): Value {
  return reshape(
    reduced,
    x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length)),
  )
}

const sumRule: GradientRule<"ReduceSum"> = ({ node, outputGradient }) => {
  const x = node.inputs[0] as Value
  return [withReducedAxes(outputGradient(), x, node.attributes)]
}

const meanRule: GradientRule<"ReduceMean"> = ({ node, outputGradient }) => {
  const x = node.inputs[0] as Value
  const y = node.outputs[0] as Value
  const scaled = mul(outputGradient(), sizeOf(y.shape) / sizeOf(x.shape))
  return [withReducedAxes(scaled, x, node.attributes)]
}

/** Equal largest elements share the gradient, as PyTorch's `amax` does. */
const maxRule: GradientRule<"ReduceMax"> = ({ node, outputGradient }) => {
  const x = node.inputs[0] as Value
  const isLargest = cast(equal(x, withReducedAxes(node.outputs[0] as Value, x, node.attributes)), "float32")
  const share = div(
    withReducedAxes(outputGradient(), x, node.attributes),
    reduceSum(isLargest, node.attributes.axes, true),
  )
  return [mul(isLargest, share)]
}

/** dx = y (dy - sum(dy y)) */
const softmaxRule: GradientRule<"Softmax"> = ({ node, outputGradient }) => {
  const y = node.outputs[0] as Value
  const weighted = mul(outputGradient(), y)
  return [sub(weighted, mul(y, reduceSum(weighted, [node.attributes.axis], true)))]
}

/** dx = dy - softmax(x) sum(dy) */
const logSoftmaxRule: GradientRule<"LogSoftmax"> = ({ node, outputGradient }) => {
  const dy = outputGradient()
  const probabilities = softmax(node.inputs[0] as Value, node.attributes.axis)
  return [sub(dy, mul(probabilities, reduceSum(dy, [node.attributes.axis], true)))]
}

export const reductionRules = {
  ReduceSum: sumRule,
  ReduceMean: meanRule,
  ReduceMax: maxRule,
  Softmax: softmaxRule,
  LogSoftmax: logSoftmaxRule,
} as const satisfies { readonly [K in OpType]?: GradientRule<K> }
