import { gemm, matMul, transpose } from "../../graph/build.ts"
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

export const productRules = {
  MatMul: matMulRule,
  Gemm: gemmRule,
  Conv: convRule,
  ConvTranspose: "none",
  ConvInputGradient: "none",
  ConvWeightGradient: "none",
  NchwcReorderInput: "none",
  NchwcReorderOutput: "none",
  NchwcConv: "none",
} as const satisfies { readonly [K in OpType]?: GradientRule<K> }
