import { batchNorm, conv2d, linear, type NetworkBuilder, op, pooled, type Value } from "@learnloss/engine"
import type { Model, ModelOptions } from "./model.ts"

/** Two 3x3 convolutions with a shortcut (He et al. 2016, figure 2); the shortcut is a 1x1 convolution where shapes change. */
function basicBlock(b: NetworkBuilder, x: Value, channels: number, stride: number): Value {
  const first = op.relu(
    batchNorm(b.scope("bn1"), conv2d(b.scope("conv1"), x, { channels, kernel: 3, stride, padding: 1 })),
  )
  const second = batchNorm(b.scope("bn2"), conv2d(b.scope("conv2"), first, { channels, kernel: 3, padding: 1 }))
  const changes = stride !== 1 || x.shape[1] !== channels
  const shortcut = changes
    ? batchNorm(b.scope("downsample.1"), conv2d(b.scope("downsample.0"), x, { channels, kernel: 1, stride }))
    : x
  return op.relu(op.add(second, shortcut))
}

/**
 * ResNet-18 with the stem for small images (a 3x3 convolution, no pooling). Width 64 is the paper's network; the taps
 * are the outputs of its four stages.
 */
export function resnet18({ width, classes }: ModelOptions): Model {
  return {
    build(b, [images]) {
      let x = op.relu(
        batchNorm(b.scope("bn1"), conv2d(b.scope("conv1"), images, { channels: width, kernel: 3, padding: 1 })),
      )
      const taps: Value[] = []
      for (const stage of [1, 2, 3, 4]) {
        const layer = b.scope(`layer${stage}`)
        const channels = width * 2 ** (stage - 1)
        x = basicBlock(layer.scope("0"), x, channels, stage === 1 ? 1 : 2)
        x = basicBlock(layer.scope("1"), x, channels, 1)
        taps.push(x)
      }
      const embedding = pooled(x)
      return { output: linear(b.scope("fc"), embedding, classes), taps, embedding }
    },
  }
}
