import type { ConvAttributes, ProductAttributes } from "../ops.ts"
import {
  at,
  axis,
  broadcastShapes,
  expectDtype,
  expectRank,
  Mismatch,
  type ShapeRules,
  type TypedShape,
  unary,
  written,
} from "./rule.ts"

/** Output length of a convolution along one axis. */
export function convLength(length: number, kernel: number, stride: number, padding: number, dilation: number): number {
  return Math.floor((length + padding - dilation * (kernel - 1) - 1) / stride) + 1
}

/** Shape of x convolved with w. */
export function convShape(
  x: TypedShape,
  w: TypedShape,
  { strides, pads, dilations, group }: ConvAttributes,
): readonly number[] {
  expectRank(x, 4)
  expectRank(w, 4)
  const [n, c, h, width] = x.shape as [number, number, number, number]
  const [o, cPerGroup, kh, kw] = w.shape as [number, number, number, number]
  if (c !== cPerGroup * group || o % group !== 0) {
    throw new Mismatch(
      `${cPerGroup * group} input channels in ${group} groups`,
      `input ${written(x.shape)}, weight ${written(w.shape)}`,
    )
  }
  const outH = convLength(h, kh, strides[0], pads[0] + pads[2], dilations[0])
  const outW = convLength(width, kw, strides[1], pads[1] + pads[3], dilations[1])
  if (outH < 1 || outW < 1) throw new Mismatch("an input at least as large as the kernel", written(x.shape))
  return [n, o, outH, outW]
}

function conv(inputs: readonly TypedShape[], attributes: ConvAttributes): readonly TypedShape[] {
  const [x, w] = [at(inputs, 0), at(inputs, 1)]
  expectDtype(x, "float32")
  return [{ dtype: "float32", shape: convShape(x, w, attributes) }]
}

/** Stacks of matrices, as `MatMul` broadcasts them; of the type of the first. */
export function matMul(
  inputs: readonly TypedShape[],
  { transA = false, transB = false }: Partial<ProductAttributes> = {},
): readonly TypedShape[] {
  const [a, b] = [at(inputs, 0), at(inputs, 1)]
  const [rows, inner] = transA ? [-1, -2] : [-2, -1]
  const [innerB, columns] = transB ? [-1, -2] : [-2, -1]
  if (a.shape.length < 2 || b.shape.length < 2 || a.shape.at(inner) !== b.shape.at(innerB)) {
    throw new Mismatch("matrices of matching inner length", `${written(a.shape)} and ${written(b.shape)}`)
  }
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2))
  return [{ dtype: a.dtype, shape: [...batch, a.shape.at(rows) as number, b.shape.at(columns) as number] }]
}

export const productShapes = {
  MatMul: (inputs) => matMul(inputs),
  Gemm: (inputs, attributes) => {
    expectRank(at(inputs, 0), 2)
    expectRank(at(inputs, 1), 2)
    return matMul(inputs, attributes)
  },
  FusedMatMul: matMul,
  Conv: conv,
  ConvTranspose: (inputs, { strides, pads, dilations, group, outputPadding }) => {
    const [x, w] = [at(inputs, 0), at(inputs, 1)]
    expectDtype(x, "float32")
    expectRank(x, 4)
    expectRank(w, 4)
    if (axis(x.shape, 1) !== axis(w.shape, 0) || axis(w.shape, 0) % group !== 0) {
      throw new Mismatch(
        `${w.shape[0]} input channels in ${group} groups`,
        `input ${written(x.shape)}, weight ${written(w.shape)}`,
      )
    }
    const length = (index: 0 | 1) =>
      (axis(x.shape, 2 + index) - 1) * strides[index] +
      outputPadding[index] +
      dilations[index] * (axis(w.shape, 2 + index) - 1) +
      1 -
      pads[index] -
      pads[(index + 2) as 2 | 3]
    if (length(0) < 1 || length(1) < 1) throw new Mismatch("pads that leave an output", `pads ${written(pads)}`)
    return [{ dtype: x.dtype, shape: [axis(x.shape, 0), axis(w.shape, 1) * group, length(0), length(1)] }]
  },
  // The block is the innermost axis only in memory; ONNX Runtime keeps the logical shape [N, C, H, W].
  NchwcReorderInput: unary,
  NchwcReorderOutput: (inputs, { channels }) => [
    { dtype: "float32", shape: at(inputs, 0).shape.map((length, index) => (index === 1 ? channels : length)) },
  ],
  NchwcConv: (inputs, attributes) => conv(inputs, attributes),
  FusedConv: (inputs, attributes) => conv(inputs, attributes),
  ConvInputGradient: (_, { inputShape }) => [{ dtype: "float32", shape: inputShape }],
  ConvWeightGradient: (_, { weightShape }) => [{ dtype: "float32", shape: weightShape }],
} as const satisfies ShapeRules
