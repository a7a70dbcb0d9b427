import { spread } from "../autodiff/rules/movement.ts"
import { conv, pad, reshape, slice, transpose } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import type { ConvAttributes } from "../graph/ops.ts"
import { backwardPads } from "./backward-pads.ts"
import { blockedProduct, blockSwappedWeight, canBlock, channelBlocks } from "./blocked.ts"
import { depthwiseLowerings } from "./depthwise.ts"
import { mergedGroups } from "./merged-groups.ts"
import { phaseLowerings } from "./phases.ts"
import { pointwiseLowerings } from "./pointwise.ts"
import type { ConvProduct, Lowering } from "./product.ts"
import { winogradLowerings } from "./winograd.ts"

/** How the gradient of the output is convolved: on plain tensors, or in a blocked layout. */
interface Layout {
  readonly suffix: string
  readonly channelBlock?: number
  /** Whether groups that read and write so many channels each can be computed. */
  fits(inputsPerGroup: number, outputsPerGroup: number, group: number): boolean
  /** With the forward weight [O, C/group, KH, KW], input and output channels swapped and the taps reversed. */
  back(dy: Value, weight: Value, attributes: ConvAttributes): Value
}

const layouts: readonly Layout[] = [
  {
    suffix: "",
    fits: () => true,
    back: (dy, weight, attributes) => conv(dy, backwardKernel(weight, attributes.group), attributes),
  },
  ...channelBlocks.map(
    (block): Layout => ({
      suffix: `-blocked-${block}`,
      channelBlock: block,
      fits: (inputs, outputs, group) => canBlock(block, inputs, outputs, group) && inputs % block === 0,
      back: (dy, weight, attributes) =>
        blockedProduct(dy, blockSwappedWeight(weight, block, true, attributes.group), block, attributes),
    }),
  ),
]

/** The kernel that carries gradients back: input and output channels swapped inside each group, both axes reversed. */
function backwardKernel(weight: Value, group: number): Value {
  const [o, c, kh, kw] = weight.shape as [number, number, number, number]
  const grouped = reshape(weight, [group, o / group, c, kh * kw])
  const swapped = transpose(grouped, [0, 2, 1, 3])
  const reversed = kh * kw === 1 ? swapped : slice(swapped, 3, -1, -(2 ** 31), -1)
  return reshape(reversed, [group * c, o / group, kh, kw])
}

/** Zeros between the output gradient's positions undo the stride; then one convolution of stride one is left. */
function flipped(product: ConvProduct, weight: Value, dy: Value, layout: Layout): Value {
  const apart = spread(spread(dy, 2, product.strides[0]), 3, product.strides[1])
  const pads = backwardPads(product) as ConvAttributes["pads"]
  return layout.back(apart, weight, { strides: [1, 1], pads, dilations: product.dilations, group: product.group })
}

function isPointwise({ weightShape, pads, group }: ConvProduct): boolean {
  return weightShape[2] === 1 && weightShape[3] === 1 && pads.every((length) => length === 0) && group === 1
}

/** A 1x1 kernel: convolve the small output gradient first, then put the zeros of the stride in between. */
function pointwise(product: ConvProduct, weight: Value, dy: Value, layout: Layout): Value {
  const [, , h, w] = product.inputShape as [number, number, number, number]
  const small = layout.back(dy, weight, { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: 1 })
  const apart = spread(spread(small, 2, product.strides[0]), 3, product.strides[1])
  return pad(apart, [0, 0, 0, 0, 0, 0, h - (apart.shape[2] as number), w - (apart.shape[3] as number)])
}

const forms = [
  {
    name: "flipped",
    fits: (product: ConvProduct) => backwardPads(product) !== undefined && !isPointwise(product),
    build: flipped,
  },
  { name: "pointwise", fits: isPointwise, build: pointwise },
] as const

/** The opposite convolution as ONNX has it. */
const transposed: Lowering = {
  name: "transposed",
  fits: () => true,
  build: ({ inputShape, weightShape, outputShape, strides, pads, dilations, group }, [weight, dy]) => {
    const missing = (index: 0 | 1) =>
      (inputShape[2 + index] as number) -
      (((outputShape[2 + index] as number) - 1) * strides[index] +
        dilations[index] * ((weightShape[2 + index] as number) - 1) +
        1 -
        pads[index] -
        pads[(index + 2) as 2 | 3])
    const outputPadding = [missing(0), missing(1)] as const
    return dy.graph.add("ConvTranspose", [dy, weight], { strides, pads, dilations, group, outputPadding })[0] as Value
  },
}

const ways: readonly Lowering[] = [
  ...layouts.flatMap((layout) =>
    forms.map(
      ({ name, fits, build }): Lowering => ({
        name: name + layout.suffix,
        ...(layout.channelBlock === undefined ? {} : { channelBlock: layout.channelBlock }),
        fits: (product) =>
          fits(product) &&
          layout.fits(
            (product.weightShape[0] as number) / product.group,
            product.weightShape[1] as number,
            product.group,
          ),
        build: (product, [weight, dy]) => build(product, weight, dy, layout),
      }),
    ),
  ),
  transposed,
  ...pointwiseLowerings("input-gradient"),
  ...phaseLowerings,
  ...depthwiseLowerings("input-gradient"),
  ...winogradLowerings("input-gradient"),
]

export const inputGradientLowerings: readonly Lowering[] = [
  ...ways,
  ...mergedGroups(ways.filter(({ name }) => /^(flipped|phases)-blocked/.test(name))),
]
