import { conv, gemm, matMul, slice, transpose } from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import type { OpType } from "../../graph/ops.ts"
import type { GradientRule } from "../rule.ts"

function swapLastTwo(x: Value): Value {
  const perm = x.shape.map((_, axis) => axis)
  const last = perm.length - 1
  return transpose(x, [...perm.slice(0, -2), last, last - 1])
}

const matMulRule: GradientRule<"MatMul"> = ({ node, outputGradient }) => {
  const [a, b] = node.inputs as [Value, Value]
  const dy = outputGradient()
  return [matMul(dy, swapLastTwo(b)), matMul(swapLastTwo(a), dy)]
}

/** y = alpha op(a) op(b); each gradient is again one product. */
const gemmRule: GradientRule<"Gemm"> = ({ node, outputGradient }) => {
  const [a, b] = node.inputs as [Value, Value]
  const { alpha, transA, transB } = node.attributes
  const dy = outputGradient()
  return [
    transA ? gemm(b, dy, { transA: transB, transB: true, alpha }) : gemm(dy, b, { transB: !transB, alpha }),
    transB ? gemm(dy, a, { transA: true, transB: transA, alpha }) : gemm(a, dy, { transA: !transA, alpha }),
  ]
}

/** The two products are ops of their own, so that lowering can choose how each is computed. */
const convRule: GradientRule<"Conv"> = ({ node, outputGradient }) => {
  const [x, weight] = node.inputs as [Value, Value]
  const dy = outputGradient()
  return [
    x.graph.add("ConvInputGradient", [weight, dy], { ...node.attributes, inputShape: x.shape })[0] as Value,
    x.graph.add("ConvWeightGradient", [x, dy], { ...node.attributes, weightShape: weight.shape })[0] as Value,
  ]
}

/**
 * The opposite of a convolution that reads y and gives x: its gradients are that convolution and its weight gradient.
 * Output padding is padding at the end that is not cut off; where it reaches past the last window, nothing was written.
 */
const convTransposeRule: GradientRule<"ConvTranspose"> = ({ node, outputGradient }) => {
  const [x, weight] = node.inputs as [Value, Value]
  const { outputPadding, ...attributes } = node.attributes
  const [top, left, bottom, right] = attributes.pads
  const after = [bottom - outputPadding[0], right - outputPadding[1]] as const
  let dy = outputGradient()
  for (const [index, length] of after.entries()) {
    if (length < 0) dy = slice(dy, 2 + index, 0, (dy.shape[2 + index] as number) + length)
  }
  const opposite = { ...attributes, pads: [top, left, Math.max(0, after[0]), Math.max(0, after[1])] as const }
  return [
    conv(dy, weight, opposite),
    x.graph.add("ConvWeightGradient", [dy, x], { ...opposite, weightShape: weight.shape })[0] as Value,
  ]
}

export const productRules = {
  MatMul: matMulRule,
  Gemm: gemmRule,
  Conv: convRule,
  ConvTranspose: convTransposeRule,
  ConvInputGradient: "none",
  ConvWeightGradient: "none",
  NchwcReorderInput: "none",
  NchwcReorderOutput: "none",
  NchwcConv: "none",
} as const satisfies { readonly [K in OpType]?: GradientRule<K> }
