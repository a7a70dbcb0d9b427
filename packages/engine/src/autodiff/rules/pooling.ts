import { concat, expand, hardSigmoid, maxPool, mul, reshape, scatterElements, slice, sub } from "../../graph/build.ts"
import type { Node, Value } from "../../graph/graph.ts"
import type { OpAttributes, OpType } from "../../graph/ops.ts"
import { floatTensor, intTensor, sizeOf } from "../../graph/tensor.ts"
import type { GradientRule } from "../rule.ts"
import { zeros } from "./indexing.ts"

/** Whether 2x2 windows lie side by side and cover the whole input, as where networks halve their maps. */
function isHalving({ inputs, outputs, attributes }: Node<"MaxPool">): boolean {
  const [x, y] = [inputs[0] as Value, outputs[0] as Value]
  const isPair = (numbers: readonly number[], number: number) => numbers.every((each) => each === number)
  return (
    isPair([...attributes.kernel, ...attributes.strides], 2) &&
    isPair(attributes.pads, 0) &&
    isPair(attributes.dilations, 1) &&
    [2, 3].every((axis) => x.shape[axis] === 2 * (y.shape[axis] as number))
  )
}

/** One where a part is the maximum, zero where it is less by more than a denormal number. */
function isMaximum(part: Value, maximum: Value): Value {
  return hardSigmoid(sub(part, maximum), 3e38, 1)
}

/**
 * Halving without the positions of the maxima, for which ONNX Runtime would leave its fast kernel: of a window's two rows
 * the first whose maximum is the window's takes the gradient, and of that row's two numbers the first that is the row's
 * maximum. So of equal numbers the first takes it, as with positions.
 */
function halvingGradient(x: Value, y: Value, dy: Value): Value {
  const [n, c, h, w] = x.shape as [number, number, number, number]
  const [windowRows, half] = [(n * c * h) / 2, w / 2]
  const inRows = (kernel: readonly [number, number]) =>
    maxPool(x, { kernel, strides: [1, 2], pads: [0, 0, 0, 0], dilations: [1, 1], ceil: false })[0]
  const rowMaxima = inRows([1, 2]) // [n, c, h, w / 2]
  const upper = reshape(slice(reshape(rowMaxima, [windowRows, 2, half]), 1, 0, 1), [windowRows, half])
  const gradient = reshape(dy, [windowRows, half])
  const ofUpper = mul(gradient, isMaximum(upper, reshape(y, [windowRows, half])))
  const ofRows = [ofUpper, sub(gradient, ofUpper)].map((row) => reshape(row, [windowRows, 1, half]))
  const rowGradient = reshape(concat(ofRows, 1), rowMaxima.shape)
  // Windows of one number take every other column, and on all threads, which a strided slice does not.
  const ofLeft = mul(rowGradient, isMaximum(inRows([1, 1]), rowMaxima))
  const ofColumns = [ofLeft, sub(rowGradient, ofLeft)].map((column) => reshape(column, [n * c * h * half, 1]))
  return reshape(concat(ofColumns, 1), x.shape)
}

/**
 * Each gradient goes to where its maximum was found; windows that overlap add up there. Positions count through the
 * whole input; they are brought back to their plane, so that ONNX Runtime shares the planes between threads.
 */
const maxPoolRule: GradientRule<"MaxPool"> = ({ node, outputGradient }) => {
  const x = node.inputs[0] as Value
  const [y, indices] = node.outputs as [Value, Value]
  if (isHalving(node)) return [halvingGradient(x, y, outputGradient())]
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
