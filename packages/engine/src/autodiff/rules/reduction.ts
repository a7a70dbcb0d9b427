import { add, cast, div, equal, mul, reciprocal, reduceSum, reshape, softmax, sqrt, sub } from "../../graph/build.ts"
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

const globalAveragePoolRule: GradientRule<"GlobalAveragePool"> = ({ node, outputGradient }) => {
  const x = node.inputs[0] as Value
  const positions = sizeOf(x.shape.slice(2))
  return [mul(outputGradient(), 1 / positions)]
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

/**
 * Gradient of batch normalisation over N, H, W of [N, C, H, W] (or N of [N, C]), Ioffe & Szegedy 2015, section 3:
 * dx = a dy + b x + c with per-channel a, b, c, so that the large tensors are read once more and not copied.
 */
const batchNormalizationRule: GradientRule<"BatchNormalization"> = ({ node, outputGradient }) => {
  const [x, scale, , mean, variance] = node.inputs as [Value, Value, Value, Value, Value]
  const dy = outputGradient()
  const channels = scale.shape[0] as number
  const perChannel = (value: Value) => reshape(value, [1, channels, ...x.shape.slice(2).map(() => 1)])
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis !== 1)
  const { epsilon, training } = node.attributes
  const [, batchMean, batchVariance] = node.outputs
  const usedMean = training ? (batchMean as Value) : mean
  const usedVariance = training ? (batchVariance as Value) : variance
  const inverse = reciprocal(sqrt(add(usedVariance, epsilon)))
  const biasGradient = reduceSum(dy, axes)
  const scaleGradient = mul(inverse, reduceSum(mul(dy, sub(x, perChannel(usedMean))), axes))
  const a = mul(scale, inverse)
  if (!training) return [mul(dy, perChannel(a)), scaleGradient, biasGradient, null, null]
  const count = sizeOf(x.shape) / channels
  const b = mul(mul(mul(a, inverse), scaleGradient), -1 / count)
  const c = sub(mul(mul(a, biasGradient), -1 / count), mul(b, usedMean))
  const inputGradient = add(add(mul(dy, perChannel(a)), mul(x, perChannel(b))), perChannel(c))
  return [inputGradient, scaleGradient, biasGradient, null, null]
}

export const reductionRules = {
  ReduceSum: sumRule,
  ReduceMean: meanRule,
  ReduceMax: maxRule,
  ArgMax: "none",
  LayerNormalization: "none",
  MaxPool: "none",
  AveragePool: "none",
  GlobalAveragePool: globalAveragePoolRule,
  Softmax: softmaxRule,
  LogSoftmax: logSoftmaxRule,
  BatchNormalization: batchNormalizationRule,
} as const satisfies { readonly [K in OpType]?: GradientRule<K> }
