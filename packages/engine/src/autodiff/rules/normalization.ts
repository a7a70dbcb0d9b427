import { add, div, matMul, mul, neg, reciprocal, reduceSum, reshape, sqrt, sub } from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import type { OpType } from "../../graph/ops.ts"
import { sizeOf } from "../../graph/tensor.ts"
import type { GradientRule } from "../rule.ts"

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

/**
 * Gradient of layer normalisation (Ba, Kiros & Hinton 2016) from the mean and the inverse deviation of each row: with
 * n = (x - mean) inverse and g = dy scale, dx = inverse (g - mean(g) - n mean(g n)). Sums that weigh by the scale are
 * products with it, which spares the rows a pass. The gradients of mean and inverse themselves, where somebody reads
 * them, join the two means: d mean / dx = 1 / width and d inverse / dx = -n inverse^2 / width.
 */
const layerNormalizationRule: GradientRule<"LayerNormalization"> = ({ node, outputGradient }) => {
  const [x, scale] = node.inputs as [Value, Value]
  const { axis } = node.attributes
  const width = sizeOf(scale.shape)
  const rows = sizeOf(x.shape.slice(0, axis))
  const [mean, inverse] = node.outputs.slice(1).map((value) => reshape(value, [rows, 1])) as [Value, Value]
  const dy = reshape(outputGradient(), [rows, width])
  const normalized = mul(sub(reshape(x, [rows, width]), mean), inverse)
  const product = mul(dy, normalized)
  const weights = reshape(scale, [width, 1])
  const [ofMean, ofInverse] = [1, 2].map((position) => reshape(outputGradient(position), [rows, 1])) as [Value, Value]
  const sumGradient = plus(matMul(dy, weights), neg(div(ofMean, inverse)), outputGradient(1))
  const sumProduct = plus(matMul(product, weights), mul(ofInverse, inverse), outputGradient(2))
  const [meanGradient, meanProduct] = [mul(sumGradient, 1 / width), mul(sumProduct, 1 / width)]
  const weighted = sub(mul(dy, reshape(scale, [1, width])), add(mul(normalized, meanProduct), meanGradient))
  return [
    reshape(mul(weighted, inverse), x.shape),
    reshape(reduceSum(product, [0]), scale.shape),
    reshape(reduceSum(dy, [0]), scale.shape),
  ]
}

/** A sum whose second part comes from a gradient and is left out where that is zero everywhere. */
function plus(sum: Value, part: Value, gradient: Value): Value {
  const isZero = gradient.graph.constants.get(gradient)?.data.every((value: number | bigint) => Number(value) === 0)
  return isZero === true ? sum : add(sum, part)
}

export const normalizationRules = {
  BatchNormalization: batchNormalizationRule,
  LayerNormalization: layerNormalizationRule,
} as const satisfies { readonly [K in OpType]?: GradientRule<K> }
