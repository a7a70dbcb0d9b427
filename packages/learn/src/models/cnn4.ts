import { batchNorm, conv2d, linear, op, pooled, type Value } from "@learnloss/engine"
import type { Model, ModelOptions } from "./model.ts"

/** A small network for studies on a CPU: four 3x3 convolutions of width w, 2w, 4w, 8w, strides 1, 2, 2, 2, each a tap. */
export function cnn4({ width, classes }: ModelOptions): Model {
  return {
    build(b, [images]) {
      let x = images
      const taps: Value[] = []
      for (const stage of [0, 1, 2, 3]) {
        const layer = b.scope(`stages.${stage}`)
        const channels = width * 2 ** stage
        const convolved = conv2d(layer.scope("0"), x, { channels, kernel: 3, stride: stage === 0 ? 1 : 2, padding: 1 })
        x = op.relu(batchNorm(layer.scope("1"), convolved))
        taps.push(x)
      }
      const embedding = pooled(x)
      return { output: linear(b.scope("fc"), embedding, classes), taps, embedding }
    },
  }
}
