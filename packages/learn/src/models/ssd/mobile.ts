import {
  batchNorm,
  type Conv2dOptions,
  conv2d,
  LearnlossError,
  type NetworkBuilder,
  op,
  pooled,
  type Value,
} from "@learnloss/engine"
import type { ImageShape } from "../../data/dataset.ts"
import type { Model, ModelOptions } from "../model.ts"
import type { SourceBoxes } from "./default-boxes.ts"
import { ssd } from "./ssd.ts"

/** Smallest and largest side of its images, in pixels. */
const [smallest, largest] = [96, 160]

const strides = [8, 16, 32, 64]

/** As shares of the image: those of SSD300's first sources, then in wider steps, as there are fewer of them. */
const sizes = [0.1, 0.2, 0.4, 0.7, 0.95]

/** The default boxes of `ssd-mobile` for images of any size. */
export function mobileBoxes(side: number): SourceBoxes[] {
  return strides.map((stride, index) => {
    const places = Math.ceil(side / stride)
    return {
      places,
      step: 1 / places,
      minSize: sizes[index] as number,
      maxSize: sizes[index + 1] as number,
      aspectRatios: index === 0 ? [2] : [2, 3],
    }
  })
}

function normalized(b: NetworkBuilder, name: number, x: Value, options: Conv2dOptions): Value {
  return op.relu(batchNorm(b.scope(String(name + 1)), conv2d(b.scope(String(name)), x, options)))
}

/** A 3x3 convolution of each channel by itself, then one of all channels at each position (Howard et al. 2017). */
function separable(b: NetworkBuilder, x: Value, channels: number, stride: number): Value {
  const inputs = x.shape[1] as number
  const filtered = normalized(b, 0, x, { channels: inputs, groups: inputs, kernel: 3, stride, padding: 1 })
  return normalized(b, 3, filtered, { channels, kernel: 1 })
}

/**
 * A small detector for images of 96x96 to 160x160 pixels, which trains on two processor cores in minutes: a stem of stride
 * 2 and ten depthwise separable blocks of 2w, 4w, 8w, 8w and 8w channels, two each, up to stride 64. Its four sources are the
 * last blocks of strides 8 to 64; samples are compared by the last one's mean.
 *
 * @throws LearnlossError `MODEL_IMAGE_SIZE`
 */
export function ssdMobile({ width, classes, imageShape }: ModelOptions): Model {
  requireSquare(imageShape)
  return ssd(mobileBoxes(imageShape.width), { classes }, (b, images) => {
    let x = normalized(b.scope("stem"), 0, images, { channels: width, kernel: 3, stride: 2, padding: 1 })
    const maps = [2, 4, 8, 8, 8].map((factor, stage) => {
      const [first, second] = [0, 1].map((part) => b.scope(`blocks.${2 * stage + part}`)) as [
        NetworkBuilder,
        NetworkBuilder,
      ]
      x = separable(second, separable(first, x, factor * width, 2), factor * width, 1)
      return x
    })
    return { maps: maps.slice(1), embedding: pooled(x) }
  })
}

function requireSquare({ width, height }: ImageShape): void {
  if (width === height && width >= smallest && width <= largest) return
  throw new LearnlossError("MODEL_IMAGE_SIZE", {
    where: "model ssd-mobile",
    expected: `square images of ${smallest} to ${largest} pixels a side`,
    got: `${width}x${height}`,
    fix: "Have the images prepared in such a size, e.g. 128x128.",
  })
}
