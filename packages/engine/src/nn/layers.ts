import {
  add,
  conv,
  div,
  gemm,
  globalAveragePool,
  maxPool,
  mul,
  pad,
  reduceSum,
  reshape,
  resize,
  sqrt,
} from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import { floatTensor, sizeOf } from "../graph/tensor.ts"
import { filled, type Initializer, ones, uniformByFanIn, zeros } from "./initializers.ts"
import type { NetworkBuilder } from "./network.ts"

export interface Conv2dOptions {
  readonly channels: number
  readonly kernel: number
  readonly stride?: number
  /** Zeros on every side. */
  readonly padding?: number
  readonly dilation?: number
  /** Channels are split into so many groups that see nothing of one another. */
  readonly groups?: number
  /** First values of the weight; those of PyTorch where absent. */
  readonly weight?: Initializer
  /** First values of the bias; no bias where absent. */
  readonly bias?: Initializer
}

/** Convolution of [N, C, H, W] (`weight` [O, C/groups, K, K], `bias` [O] where asked), PyTorch's `Conv2d`. */
export function conv2d(b: NetworkBuilder, x: Value, options: Conv2dOptions): Value {
  const { channels, kernel, stride = 1, padding = 0, dilation = 1, groups = 1 } = options
  const inputChannels = (x.shape[1] as number) / groups
  const weight = b.parameter(
    "weight",
    [channels, inputChannels, kernel, kernel],
    options.weight ?? uniformByFanIn(inputChannels * kernel * kernel),
  )
  const y = conv(x, weight, {
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
    dilations: [dilation, dilation],
    group: groups,
  })
  return options.bias === undefined ? y : add(y, perChannel(b.parameter("bias", [channels], options.bias)))
}

/** [C] as [C, 1, 1], so that it meets the channels of [N, C, H, W]. */
function perChannel(x: Value): Value {
  return reshape(x, [x.shape[0] as number, 1, 1])
}

/**
 * Divides the features at each position by their length over the channels, and multiplies each channel by a learned scale
 * (`weight` [C]): the L2Norm layer of SSD. A position of zeros stays zero, also in its gradient.
 */
export function l2Norm(b: NetworkBuilder, x: Value, scale: number): Value {
  const weight = b.parameter("weight", [x.shape[1] as number], filled(scale))
  const length = sqrt(add(reduceSum(mul(x, x), [1], true), l2Epsilon))
  return mul(div(x, length), perChannel(weight))
}

/** Added to a squared length, so that nothing is divided by zero. */
const l2Epsilon = 1e-10

/** Halves [N, C, H, W] by the largest of every 2x2 positions; odd lengths are rounded up. For features that are not negative. */
export function halved(x: Value): Value {
  const [odd, wide] = [x.shape[2], x.shape[3]].map((length) => (length as number) % 2) as [number, number]
  // Zeros behind the last row change no maximum after ReLU, and windows that fit have a faster gradient.
  const even = pad(x, [0, 0, 0, 0, 0, 0, odd, wide])
  return maxPool(even, { kernel: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0], dilations: [1, 1], ceil: false })[0]
}

/**
 * Repeats each position of [N, C, H, W] as 2x2 (nearest-neighbour upsampling), by two ways of which each is the fastest in its
 * place, see docs/findings/engine-speed.md. For training every row is multiplied by a matrix of zeros and ones that writes both
 * rows it becomes, forward and backward; for evaluation `Resize` leaves the maps in ONNX Runtime's blocked layout.
 */
export function doubled(b: NetworkBuilder, x: Value): Value {
  if (!b.isTraining) return resize(x, [2, 2])
  const [n, c, h, w] = x.shape as [number, number, number, number]
  const matrix = floatTensor([w, 4 * w])
  for (let column = 0; column < w; column++) {
    for (const at of [0, 1, 2 * w, 2 * w + 1]) matrix.data[column * 4 * w + 2 * column + at] = 1
  }
  const rows = gemm(reshape(x, [n * c * h, w]), x.graph.constant(matrix, "doubling"))
  return reshape(rows, [n, c, 2 * h, 2 * w])
}

/** Share of the new batch in running statistics, and the variance's guard: PyTorch's defaults. */
const runningMomentum = 0.1
const epsilon = 1e-5

/**
 * Batch normalisation over all axes but the channel (axis 1), PyTorch's `BatchNorm2d`. In training it uses the
 * statistics of the batch and updates the running ones; the running variance is the unbiased one, n / (n - 1).
 */
export function batchNorm(b: NetworkBuilder, x: Value): Value {
  const channels = x.shape[1] as number
  const weight = b.parameter("weight", [channels], ones)
  const bias = b.parameter("bias", [channels], zeros)
  const runningMean = b.parameter("running_mean", [channels], zeros, "buffer")
  const runningVariance = b.parameter("running_var", [channels], ones, "buffer")
  const outputs = x.graph.add("BatchNormalization", [x, weight, bias, runningMean, runningVariance], {
    epsilon,
    training: b.isTraining,
  })
  if (b.isTraining) {
    const [, mean, variance] = outputs as [Value, Value, Value]
    const count = sizeOf(x.shape) / channels
    b.blendBuffer(runningMean, mean, runningMomentum)
    b.blendBuffer(runningVariance, mul(variance, count / Math.max(1, count - 1)), runningMomentum)
  }
  return outputs[0] as Value
}

/** Fully connected layer of [N, C] to [N, outputs] with bias, PyTorch's `Linear`. */
export function linear(b: NetworkBuilder, x: Value, outputs: number): Value {
  const inputs = x.shape[1] as number
  const weight = b.parameter("weight", [outputs, inputs], uniformByFanIn(inputs))
  const bias = b.parameter("bias", [outputs], uniformByFanIn(inputs))
  return add(gemm(x, weight, { transB: true }), bias)
}

/** Mean over all positions: [N, C, H, W] to [N, C]. */
export function pooled(x: Value): Value {
  return reshape(globalAveragePool(x), [x.shape[0] as number, x.shape[1] as number])
}
