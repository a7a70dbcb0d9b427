import { maxPool } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import type { Quantization } from "../graph/ops.ts"
import { filledTensor, floatTensor, type Tensor } from "../graph/tensor.ts"
import type { Bounds, Chain } from "./quantized-chains.ts"

/** A value on eight bits, and what they stand for. */
export interface OnBytes {
  readonly value: Value
  readonly quantization: Quantization
}

const steps = 255

/**
 * Spreads 256 steps over a range. Zero is always one of them, since padding is made of zeros.
 *
 * @param bounds beyond which nothing need be told apart
 */
export function quantizationFor(range: Bounds, bounds: Bounds): Quantization {
  const low = Math.min(0, Math.max(range.low, bounds.low))
  const high = Math.max(0, Math.min(range.high, bounds.high))
  const scale = Math.fround(high === low ? 1 : (high - low) / steps)
  return { scale, zeroPoint: Math.min(steps, Math.max(0, Math.round(-low / scale))) }
}

/** int8 weights, symmetric around zero, with the scale of each output channel. */
interface QuantizedWeight {
  readonly weight: Tensor
  readonly scales: Float32Array
}

/**
 * Rounds weights to whole numbers up to a limit, each output channel to its own scale.
 *
 * @param channelOf the output channel that a position belongs to
 * @param leastScale per channel, the smallest scale that it may have
 */
function quantizeWeight(
  { shape, data }: Tensor,
  channels: number,
  channelOf: (position: number) => number,
  leastScale: (channel: number) => number,
  limit: number,
): QuantizedWeight {
  const largest = new Float64Array(channels)
  for (let at = 0; at < data.length; at++) {
    const channel = channelOf(at)
    largest[channel] = Math.max(largest[channel] as number, Math.abs(data[at] as number))
  }
  const scales = Float32Array.from(largest, (value, channel) => Math.max(value / limit, leastScale(channel)))
  const whole = (at: number) => {
    const rounded = Math.round((data[at] as number) / (scales[channelOf(at)] as number))
    return Math.max(-limit, Math.min(limit, rounded))
  }
  return { weight: filledTensor("int8", shape, whole), scales }
}

/** Sums of products and the bias have 32 bits; half of them are left to the sums. */
const largestBias = 2 ** 30
/** Keeps channels of zeros from dividing by zero. */
const tiny = 1e-30

/** A chain whose output is on eight bits. */
export function computeOnBytes(
  chain: Exclude<Chain, { kind: "product" }>,
  inputs: readonly OnBytes[],
  to: Quantization,
  weightLimit: number,
): OnBytes {
  const [a, b] = inputs as [OnBytes, OnBytes]
  const { graph } = a.value
  switch (chain.kind) {
    case "pool":
      return { value: maxPool(a.value, chain.node.attributes)[0], quantization: a.quantization }
    case "sum": {
      const from = [a.quantization, b.quantization] as const
      return { value: graph.add("QLinearAdd", [a.value, b.value], { from, to })[0] as Value, quantization: to }
    }
    case "convolution": {
      const { node, weight, bias } = chain
      const { name } = node.inputs[1] as Value
      const channels = weight.shape[0] as number
      const kernel = weight.data.length / channels
      const from = a.quantization
      const shift = bias ?? new Float32Array(channels)
      const leastScale = (channel: number) =>
        Math.max(tiny, Math.abs(shift[channel] as number) / (from.scale * largestBias))
      const quantized = quantizeWeight(weight, channels, (at) => Math.floor(at / kernel), leastScale, weightLimit)
      const biasAt = (channel: number) =>
        Math.round((shift[channel] as number) / (from.scale * (quantized.scales[channel] as number)))
      const factors = [
        graph.constant(quantized.weight, name),
        graph.constant(floatTensor([channels], quantized.scales), `${name} scales`),
        graph.constant(filledTensor("int32", [channels], biasAt), `${name} bias`),
      ]
      const value = graph.add("QLinearConv", [a.value, ...factors], { ...node.attributes, from, to })[0] as Value
      return { value, quantization: to }
    }
  }
}

/** The product of a value on eight bits with a known matrix [K, N], as `float32`. */
export function multiplyOnBytes(
  { node, weight }: Extract<Chain, { kind: "product" }>,
  { value, quantization }: OnBytes,
  weightLimit: number,
): Value {
  const { graph } = value
  const { name } = node.inputs[1] as Value
  const matrix = node.op === "Gemm" && node.attributes.transB ? transposed(weight) : weight
  const columns = matrix.shape[1] as number
  const quantized = quantizeWeight(
    matrix,
    columns,
    (at) => at % columns,
    () => tiny,
    weightLimit,
  )
  const factors = [
    graph.constant(quantized.weight, name),
    graph.constant(floatTensor([columns], quantized.scales), `${name} scales`),
  ]
  return graph.add("MatMulIntegerToFloat", [value, ...factors], { from: quantization })[0] as Value
}

function transposed({ shape, data }: Tensor): Tensor {
  const [rows, columns] = shape as [number, number]
  return filledTensor("float32", [columns, rows], (at) => data[(at % rows) * columns + Math.floor(at / rows)] as number)
}
