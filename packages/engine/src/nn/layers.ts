import { add, conv, gemm, globalAveragePool, mul, reshape } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import { sizeOf } from "../graph/tensor.ts"
import { ones, uniformByFanIn, zeros } from "./initializers.ts"
import type { NetworkBuilder } from "./network.ts"

export interface Conv2dOptions {
  readonly channels: number
  readonly kernel: number
  readonly stride?: number
  readonly padding?: number
}

/** Convolution without bias (`weight` [O, C, K, K]) of [N, C, H, W], PyTorch's `Conv2d(bias=False)`. */
export function conv2d(
  b: NetworkBuilder,
  x: Value,
  { channels, kernel, stride = 1, padding = 0 }: Conv2dOptions,
): Value {
  const inputChannels = x.shape[1] as number
  const weight = b.parameter(
    "weight",
    [channels, inputChannels, kernel, kernel],
    uniformByFanIn(inputChannels * kernel * kernel),
  )
  return conv(x, weight, { strides: [stride, stride], pads: [padding, padding, padding, padding] })
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
