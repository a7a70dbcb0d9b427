import { spread } from "../autodiff/rules/movement.ts"
import { concat, conv, mul, pad, reshape, slice, transpose } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import type { ConvAttributes } from "../graph/ops.ts"
import { backwardPads } from "./backward-pads.ts"
import { blockedProduct, blockSwappedWeight, blockWeight, canBlock, channelBlocks } from "./blocked.ts"
import { depthwiseLowerings } from "./depthwise.ts"
import type { ConvProduct, Lowering } from "./product.ts"
import { winogradLowerings } from "./winograd.ts"

/** How the gradient of the output is convolved: on plain tensors, or in a blocked layout. */
interface Layout {
  readonly suffix: string
  readonly channelBlock?: number
  fits(inputChannels: number, outputChannels: number, group: number): boolean
  /** With the forward weight [O, C/group, KH, KW], input and output channels swapped and the taps reversed. */
  back(dy: Value, weight: Value, attributes: ConvAttributes): Value
  /** With a weight as it is. */
  convolve(dy: Value, weight: Value, attributes: ConvAttributes): Value
}

const layouts: readonly Layout[] = [
  {
    suffix: "",
    fits: () => true,
    back: (dy, weight, attributes) => conv(dy, backwardKernel(weight, attributes.group), attributes),
    convolve: conv,
  },
  ...channelBlocks.map(
    (block): Layout => ({
      suffix: `-blocked-${block}`,
      channelBlock: block,
      fits: (inputs, outputs, group) => canBlock(block, inputs, outputs, group) && inputs % block === 0,
      back: (dy, weight, attributes) => blockedProduct(dy, blockSwappedWeight(weight, block, true), block, attributes),
      convolve: (dy, weight, attributes) => blockedProduct(dy, blockWeight(weight, block), block, attributes),
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

/** Three taps, stride two, padding one: how most networks halve their maps. */
function halves({ inputShape, outputShape, weightShape, strides, pads, dilations, group }: ConvProduct): boolean {
  const isCovered = [2, 3].every((axis) => (inputShape[axis] as number) <= 2 * (outputShape[axis] as number))
  const isHalving =
    weightShape[2] === 3 &&
    weightShape[3] === 3 &&
    strides.every((stride) => stride === 2) &&
    pads[0] === 1 &&
    pads[1] === 1
  return isHalving && isCovered && group === 1 && dilations.every((dilation) => dilation === 1)
}

/**
 * Stride two without zeros in between: an even row of the input meets tap 1 alone, an odd row taps 2 and 0 of the next
 * two rows of the output gradient. One convolution with 2x2 taps computes all four phases as 4 C channels (seven of its
 * sixteen taps are zero), which are then laid between one another.
 */
function halved(product: ConvProduct, weight: Value, dy: Value, layout: Layout): Value {
  const [n, c, h, w] = product.inputShape as [number, number, number, number]
  const [o] = product.weightShape as [number]
  const [, , oh, ow] = product.outputShape as [number, number, number, number]
  const taps = byPhase(byPhase(weight, 2), 3)
  const kernel = reshape(transpose(reshape(taps, [o, c, 2, 2, 2, 2]), [2, 4, 1, 0, 3, 5]), [4 * c, o, 2, 2])
  const phases = layout.convolve(dy, kernel, { strides: [1, 1], pads: [0, 0, 1, 1], dilations: [1, 1], group: 1 })
  const woven = reshape(transpose(reshape(phases, [n, 2, 2, c, oh, ow]), [0, 3, 4, 1, 5, 2]), [n, c, 2 * oh, 2 * ow])
  const rows = h === 2 * oh ? woven : slice(woven, 2, 0, h)
  return w === 2 * ow ? rows : slice(rows, 3, 0, w)
}

/** Three taps along an axis as [phase 0: tap 1, none; phase 1: tap 2, tap 0]. */
function byPhase(weight: Value, axis: number): Value {
  const tap = (index: number) => slice(weight, axis, index, index + 1)
  return concat([tap(1), mul(tap(1), 0), tap(2), tap(0)], axis)
}

const forms = [
  {
    name: "flipped",
    fits: (product: ConvProduct) => backwardPads(product) !== undefined && !isPointwise(product),
    build: flipped,
  },
  { name: "pointwise", fits: isPointwise, build: pointwise },
  { name: "halved", fits: halves, build: halved },
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

export const inputGradientLowerings: readonly Lowering[] = [
  ...layouts.flatMap((layout) =>
    forms.map(
      ({ name, fits, build }): Lowering => ({
        name: name + layout.suffix,
        ...(layout.channelBlock === undefined ? {} : { channelBlock: layout.channelBlock }),
        fits: (product) =>
          fits(product) &&
          layout.fits(product.weightShape[0] as number, product.weightShape[1] as number, product.group),
        build: (product, [weight, dy]) => build(product, weight, dy, layout),
      }),
    ),
  ),
  transposed,
  ...depthwiseLowerings("input-gradient"),
  ...winogradLowerings("input-gradient"),
]
