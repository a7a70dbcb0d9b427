import { expand, mul, reshape, scatterElements, sub } from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import type { OpAttributes, OpType } from "../../graph/ops.ts"
import { floatTensor, intTensor, sizeOf } from "../../graph/tensor.ts"
import type { GradientRule } from "../rule.ts"
import { zeros } from "./indexing.ts"

/**
 * Each gradient goes to where its maximum was found; windows that overlap add up there. Positions count through the
 * whole input; they are brought back to their plane, so that ONNX Runtime shares the planes between threads.
 */
const maxPoolRule: GradientRule<"MaxPool"> = ({ node, outputGradient }) => {
  const x = node.inputs[0] as Value
  const [y, indices] = node.outputs as [Value, Value]
  const [n, c, h, w] = x.shape as [number, number, number, number]
  const planes = n * c
  const windows = [planes, sizeOf(y.shape.slice(2))]
  const firsts = Array.from({ length: planes }, (_, plane) => plane * h * w)
  const positions = sub(reshape(indices, windows), x.graph.constant(intTensor([planes, 1], firsts), "planes"))
  const spread = scatterElements(zeros(x, [planes, h * w]), positions, reshape(outputGradient(), windows), 1, "add")
  return [reshape(spread, x.shape)]
}

/** How many positions each window along an axis divides by. */
function countsAlong(
  index: 0 | 1,
  windows: number,
  length: number,
  { kernel, strides, pads, countIncludePad }: OpAttributes["AveragePool"],
): number[] {
  const before = pads[index]
  const [low, high] = countIncludePad ? [-before, length + pads[(index + 2) as 2 | 3]] : [0, length]
  return Array.from({ length: windows }, (_, window) => {
    const start = window * strides[index] - before
    return Math.min(start + kernel[index], high) - Math.max(start, low)
  })
}

/** Every window's gradient, divided by its count, goes to each of its positions. */
const averagePoolRule: GradientRule<"AveragePool"> = ({ node, outputGradient }) => {
  const x = node.inputs[0] as Value
  const dy = outputGradient()
  const { attributes } = node
  const { kernel, strides, pads } = attributes
  const [n, c, h, w] = x.shape as [number, number, number, number]
  const [oh, ow] = dy.shape.slice(2) as [number, number]
  const [kh, kw] = kernel
  const isTiled = kh === strides[0] && kw === strides[1] && oh * kh === h && ow * kw === w && pads.every((p) => p === 0)
  if (isTiled) {
    const shares = reshape(mul(dy, 1 / (kh * kw)), [n, c, oh, 1, ow, 1])
    return [reshape(expand(shares, [n, c, oh, kh, ow, kw]), x.shape)]
  }
  const columns = countsAlong(1, ow, w, attributes)
  const factors = countsAlong(0, oh, h, attributes).flatMap((row) => columns.map((column) => 1 / (row * column)))
  const factor = x.graph.constant(floatTensor([1, 1, oh, ow], Float32Array.from(factors)), "shares")
  const ones = x.graph.constant(floatTensor([1, 1, kh, kw], new Float32Array(kh * kw).fill(1)), "ones")
  // The windows of a convolution with as much padding at the end as the last one needs, whatever rule brought it there.
  const missing = (index: 0 | 1, windows: number, length: number) =>
    Math.max(0, (windows - 1) * strides[index] + kernel[index] - length - pads[index])
  const spread = x.graph.add("ConvInputGradient", [ones, reshape(mul(dy, factor), [n * c, 1, oh, ow])], {
    strides,
    pads: [pads[0], pads[1], missing(0, oh, h), missing(1, ow, w)],
    dilations: [1, 1],
    group: 1,
    inputShape: [n * c, 1, h, w],
  })[0] as Value
  return [reshape(spread, x.shape)]
}

export const poolingRules = {
  MaxPool: maxPoolRule,
  AveragePool: averagePoolRule,
  GlobalAveragePool: ({ node, outputGradient }) => {
    const x = node.inputs[0] as Value
    return [mul(outputGradient(), 1 / sizeOf(x.shape.slice(2)))]
  },
} as const satisfies { readonly [K in OpType]?: GradientRule<K> }
