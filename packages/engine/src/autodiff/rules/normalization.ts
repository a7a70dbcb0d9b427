import { add, mul, reciprocal, reduceSum, reshape, sqrt, sub } from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import type { OpType } from "../../graph/ops.ts"
import { sizeOf } from "../../graph/tensor.ts"
import type { GradientRule } from "../rule.ts"
import { layerNormalizationRule } from "./layer-normalization.ts"

/**
 * Gradient of batch normalisation over N, H, W of [N, C, H, W] (or N of [N, C]), Ioffe & Szegedy 2015, section 3:
 * dx = a dy + b x + c with per-channel a, b, c, so that the large tensors are read once more and not copied.
 */
const batchNormalizationRule: GradientRule<"BatchNormalization"> = ({ node, outputGradient }) => {
  const [x, scale, , mean, variance] = node.inputs as [Value, Value, Value, Value, Value]
  const dy = outputGradient()
  const channels = scale.shape[0] as number
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis !== 1)
  const { epsilon, training } = node.attributes
  const [, batchMean, batchVariance] = node.outputs
  const usedMean = training ? (batchMean as Value) : mean
  const usedVariance = training ? (batchVariance as Value) : variance
  const inverse = reciprocal(sqrt(add(usedVariance, epsilon)))
  const biasGradient = reduceSum(dy, axes)
  // sum(dy (x - mean)) without writing x - mean: measured, its error is within three times that of the longer form, for
  // a mean of a thousand deviations as well, since there the rounding of the mean itself decides.
  const centered = sub(reduceSum(mul(dy, x), axes), mul(usedMean, biasGradient))
  const scaleGradient = mul(inverse, centered)
  const a = mul(scale, inverse)
  if (!training) {
    const perChannel = reshape(a, [1, channels, ...x.shape.slice(2).map(() => 1)])
    return [mul(dy, perChannel), scaleGradient, biasGradient, null, null]
  }
  const count = sizeOf(x.shape) / channels
  const b = mul(mul(mul(a, inverse), scaleGradient), -1 / count)
  const c = sub(mul(mul(a, biasGradient), -1 / count), mul(b, usedMean))
  const [inputGradient] = x.graph.add("ChannelBlend", [dy, a, x, b, c], {}) as [Value]
  return [inputGradient, scaleGradient, biasGradient, null, null]
}

export const normalizationRules = {
  BatchNormalization: batchNormalizationRule,
  LayerNormalization: layerNormalizationRule,
} as const satisfies { readonly [K in OpType]?: GradientRule<K> }
