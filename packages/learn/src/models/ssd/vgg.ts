import {
  type Conv2dOptions,
  conv2d,
  halved,
  heUniform,
  type NetworkBuilder,
  op,
  type Tensor,
  type TensorMap,
  type Value,
  zeros,
} from "@learnloss/engine"

/** Channels of VGG-16's convolutions, in shares of the first's, and where it halves its maps. */
const stages = [
  [1, 1],
  [2, 2],
  [4, 4, 4],
  [8, 8, 8],
  [8, 8, 8],
] as const

/** A convolution of the backbone: its name in the reference, and its sizes. */
export interface VggLayer extends Pick<Conv2dOptions, "channels" | "kernel" | "padding" | "dilation"> {
  /** Position in PyTorch's `vgg16.features`, where ReLU and pooling count as layers; fc6 and fc7 go on after them. */
  readonly name: string
  readonly inputs: number
}

interface VggLayers {
  /** In their order, from conv1_1 to conv5_3; maps are halved between stages. */
  readonly stages: readonly (readonly VggLayer[])[]
  /** The two fully connected layers as convolutions, the first of every third position of its 7x7 window. */
  readonly fc6: VggLayer
  readonly fc7: VggLayer
}

/** The convolutions of VGG-16 (Simonyan & Zisserman 2015, configuration D) up to fc7, as SSD has them. */
export function vggLayers(width: number): VggLayers {
  let [position, inputs] = [0, 3]
  const layers = stages.map((factors) => {
    const convolutions = factors.map((factor): VggLayer => {
      const layer = { name: String(position), inputs, channels: factor * width, kernel: 3, padding: 1 }
      inputs = layer.channels
      position += 2
      return layer
    })
    position += 1
    return convolutions
  })
  const [fc6, fc7] = [String(position), String(position + 2)]
  const channels = 16 * width
  return {
    stages: layers,
    fc6: { name: fc6, inputs, channels, kernel: 3, padding: 6, dilation: 6 },
    fc7: { name: fc7, inputs: channels, channels, kernel: 1 },
  }
}

/**
 * VGG-16 without its classifier: He's weights and no bias at first, unless first values are given.
 *
 * @param b parameters are named as in the reference, `0.weight` to `33.bias`
 * @param images [B, 3, H, W]
 * @param first values by parameter; asked for when parameters get their first values
 * @returns conv4_3 [B, 8 width, H/8, W/8] and fc7 [B, 16 width, H/16, W/16], after ReLU
 */
export function vgg16(
  b: NetworkBuilder,
  images: Value,
  width: number,
  first?: () => TensorMap,
): { conv4: Value; fc7: Value } {
  const layers = vggLayers(width)
  const given = (name: string) => first && (() => first().get(name) as Tensor)
  const apply = (x: Value, { name, inputs, ...sizes }: VggLayer) => {
    const weight = given(`${name}.weight`) ?? heUniform(inputs * sizes.kernel ** 2)
    return op.relu(conv2d(b.scope(name), x, { ...sizes, weight, bias: given(`${name}.bias`) ?? zeros }))
  }
  const maps: Value[] = []
  for (const [index, stage] of layers.stages.entries()) {
    maps.push(stage.reduce(apply, index === 0 ? images : halved(maps.at(-1) as Value)))
  }
  const kept = { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], ceil: false } as const
  const [pooled] = op.maxPool(maps[4] as Value, kept)
  return { conv4: maps[3] as Value, fc7: apply(apply(pooled, layers.fc6), layers.fc7) }
}
