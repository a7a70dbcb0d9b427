import { conv, fusedMatMul, gemm, reshape, slice, transpose } from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import type { OpType, ProductAttributes } from "../../graph/ops.ts"
import { sizeOf } from "../../graph/tensor.ts"
import type { GradientRule } from "../rule.ts"

/** Gradients of y = alpha op(a) op(b): each is again one product, which transposes as it reads. */
function productGradients(
  a: Value,
  b: Value,
  dy: Value,
  { alpha, transA, transB }: ProductAttributes,
  product: typeof fusedMatMul,
): readonly [Value, Value] {
  return [
    transA ? product(b, dy, { transA: transB, transB: true, alpha }) : product(dy, b, { transB: !transB, alpha }),
    transB ? product(dy, a, { transA: true, transB: transA, alpha }) : product(a, dy, { transA: !transA, alpha }),
  ]
}

/**
 * One matrix for all rows is a layer's weight: its gradient is one product over all rows. As a stack it would be one small
 * product a sample, and a sum over them.
 */
const matMulRule: GradientRule<"MatMul"> = ({ node, outputGradient }) => {
  const [a, b] = node.inputs as [Value, Value]
  const dy = outputGradient()
  if (b.shape.length !== 2) return productGradients(a, b, dy, { alpha: 1, transA: false, transB: false }, fusedMatMul)
  const [rows, ofOutput] = [asRows(a), asRows(dy)]
  // A weight that the file transposes gets its gradient as it stands there: the two transposes are none.
  const isTransposed = b.graph.producerOf(b)?.op === "Transpose"
  const ofWeight = isTransposed
    ? transpose(gemm(ofOutput, rows, { transA: true }), [1, 0])
    : gemm(rows, ofOutput, { transA: true })
  return [reshape(gemm(ofOutput, b, { transB: true }), a.shape), ofWeight]
}

/** [.., C] as one matrix. */
function asRows(x: Value): Value {
  return reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1) as number])
}

const gemmRule: GradientRule<"Gemm"> = ({ node, outputGradient }) => {
  const [a, b] = node.inputs as [Value, Value]
  return productGradients(a, b, outputGradient(), node.attributes, gemm)
}

const fusedMatMulRule: GradientRule<"FusedMatMul"> = ({ node, outputGradient }) => {
  const [a, b] = node.inputs as [Value, Value]
  return productGradients(a, b, outputGradient(), node.attributes, fusedMatMul)
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
  FusedMatMul: fusedMatMulRule,
  Conv: convRule,
  ConvTranspose: convTransposeRule,
  ConvInputGradient: "none",
  ConvWeightGradient: "none",
  NchwcReorderInput: "none",
  NchwcReorderOutput: "none",
  NchwcConv: "none",
  FusedConv: "none",
} as const satisfies { readonly [K in OpType]?: GradientRule<K> }
