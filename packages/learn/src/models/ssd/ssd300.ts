import { conv2d, LearnlossError, l2Norm, op, pooled, type Value, xavierUniform, zeros } from "@learnloss/engine"
import type { Model, ModelOptions } from "../model.ts"
import type { SourceBoxes } from "./default-boxes.ts"
import { ssd } from "./ssd.ts"
import { vgg16 } from "./vgg.ts"

/** Side of its images, in pixels. */
const side = 300

/** Of the reference for PASCAL VOC, in pixels: places along a side, step, smaller and larger square. */
const sources = [
  [38, 8, 30, 60, [2]],
  [19, 16, 60, 111, [2, 3]],
  [10, 32, 111, 162, [2, 3]],
  [5, 64, 162, 213, [2, 3]],
  [3, 100, 213, 264, [2]],
  [1, 300, 264, 315, [2]],
] as const

/** The 8,732 default boxes of SSD300. */
export const ssd300Boxes: readonly SourceBoxes[] = sources.map(([places, step, minSize, maxSize, aspectRatios]) => ({
  places,
  step: step / side,
  minSize: minSize / side,
  maxSize: maxSize / side,
  aspectRatios,
}))

/** Pairs of extra layers: channels of a 1x1 convolution, then of a 3x3 one with its stride and padding. */
const extras = [
  [4, 8, 2, 1],
  [2, 4, 2, 1],
  [2, 4, 1, 0],
  [2, 4, 1, 0],
] as const

/**
 * SSD300 on VGG-16 for images of 300x300 pixels (Liu et al. 2016), as its PyTorch reference is: at width 64 sources of 512,
 * 1024, 512, 256, 256 and 256 channels. The weights of VGG-16 are He's unless they come from a file; extra layers and heads
 * start from Xavier's, and all biases from zero. Samples are compared by the mean of fc7.
 *
 * @throws LearnlossError `MODEL_IMAGE_SIZE`
 */
export function ssd300({ width, classes, imageShape, weights }: ModelOptions): Model {
  if (imageShape.width !== side || imageShape.height !== side || imageShape.channels !== 3) {
    const { width: w, height: h, channels } = imageShape
    throw new LearnlossError("MODEL_IMAGE_SIZE", {
      where: "model ssd300-vgg16",
      expected: `colour images of ${side}x${side} pixels`,
      got: `${w}x${h} with ${channels} channels`,
      fix: "Have the images prepared in that size, or take ssd-mobile.",
    })
  }
  return ssd(ssd300Boxes, { classes }, (b, images) => {
    const { conv4, fc7 } = vgg16(b.scope("vgg"), images, width, weights)
    const maps = [l2Norm(b.scope("L2Norm"), conv4, 20), fc7]
    const extra = (x: Value, position: number, factor: number, kernel: number, stride = 1, padding = 0) => {
      const channels = factor * width
      const weight = xavierUniform((x.shape[1] as number) * kernel ** 2, channels * kernel ** 2)
      const layer = b.scope(`extras.${position}`)
      return op.relu(conv2d(layer, x, { channels, kernel, stride, padding, weight, bias: zeros }))
    }
    for (const [index, [narrow, channels, stride, padding]] of extras.entries()) {
      const squeezed = extra(maps.at(-1) as Value, 2 * index, narrow, 1)
      maps.push(extra(squeezed, 2 * index + 1, channels, 3, stride, padding))
    }
    return { maps, embedding: pooled(fc7) }
  })
}
