import { add, div, matMul, mul, neg, reduceSum, reshape, sub } from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import { sizeOf } from "../../graph/tensor.ts"
import type { GradientRule } from "../rule.ts"

/**
 * Gradient of layer normalisation (Ba, Kiros & Hinton 2016) from the mean and the inverse deviation of each row: with
 * n = (x - mean) inverse and g = dy scale, dx = inverse (g - mean(g) - n mean(g n)). Sums that weigh by the scale are
 * products with it, which spares the rows a pass. The gradients of mean and inverse themselves, where somebody reads
 * them, join the two means: d mean / dx = 1 / width and d inverse / dx = -n inverse^2 / width.
 */
export const layerNormalizationRule: GradientRule<"LayerNormalization"> = ({ node, outputGradient }) => {
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
