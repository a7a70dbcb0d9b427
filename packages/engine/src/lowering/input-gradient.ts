import { spread } from "../autodiff/rules/movement.ts"
import { concat, conv, mul, pad, reshape, slice, transpose } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import type { ConvAttributes } from "../graph/ops.ts"
import { blockedConv, type Convolve, canBlock, channelBlocks } from "./forward.ts"
import type { ConvProduct, Lowering } from "./product.ts"

/** The kernel that carries gradients back: input and output channels swapped inside each group, both axes reversed. */
function backwardKernel(weight: Value, group: number): Value {
  const [o, c, kh, kw] = weight.shape as [number, number, number, number]
  const grouped = reshape(weight, [group, o / group, c, kh, kw])
  const swapped = reshape(transpose(grouped, [0, 2, 1, 3, 4]), [group * c, o / group, kh, kw])
  if (kh === 1 && kw === 1) return swapped
  return weight.graph.add("Slice", [swapped], {
    starts: [-1, -1],
    ends: [-(2 ** 31), -(2 ** 31)],
    axes: [2, 3],
    steps: [-1, -1],
  })[0] as Value
}

/** How the output gradient is padded so that convolving it gives every input position; undefined where it would be cropped. */
function backwardPads({
  inputShape,
  weightShape,
  outputShape,
  strides,
  pads,
  dilations,
}: ConvProduct): ConvAttributes["pads"] | undefined {
  const axis = (index: 0 | 1): [number, number] => {
    const reach = dilations[index] * ((weightShape[2 + index] as number) - 1)
    const spreadLength = ((outputShape[2 + index] as number) - 1) * strides[index] + 1
    const before = reach - pads[index]
    return [before, (inputShape[2 + index] as number) + reach - spreadLength - before]
  }
  const [top, bottom] = axis(0)
  const [left, right] = axis(1)
  return Math.min(top, left, bottom, right) < 0 ? undefined : [top, left, bottom, right]
}

/** Zeros between the output gradient's positions undo the stride; then one convolution of stride one is left. */
function flipped(product: ConvProduct, weight: Value, dy: Value, convolve: Convolve): Value {
  const apart = spread(spread(dy, 2, product.strides[0]), 3, product.strides[1])
  const pads = backwardPads(product) as ConvAttributes["pads"]
  return convolve(apart, backwardKernel(weight, product.group), {
    strides: [1, 1],
    pads,
    dilations: product.dilations,
    group: product.group,
  })
}

function isPointwise({ weightShape, pads, group }: ConvProduct): boolean {
  return weightShape[2] === 1 && weightShape[3] === 1 && pads.every((length) => length === 0) && group === 1
}

/** A 1x1 kernel: convolve the small output gradient first, then put the zeros of the stride in between. */
function pointwise(product: ConvProduct, weight: Value, dy: Value, convolve: Convolve): Value {
  const [, , h, w] = product.inputShape as [number, number, number, number]
  const small = convolve(dy, backwardKernel(weight, 1), {
    strides: [1, 1],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
    group: 1,
  })
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
function halved(product: ConvProduct, weight: Value, dy: Value, convolve: Convolve): Value {
  const [n, c, h, w] = product.inputShape as [number, number, number, number]
  const [o] = product.weightShape as [number]
  const [, , oh, ow] = product.outputShape as [number, number, number, number]
  const taps = byPhase(byPhase(weight, 2), 3)
  const kernel = reshape(transpose(reshape(taps, [o, c, 2, 2, 2, 2]), [2, 4, 1, 0, 3, 5]), [4 * c, o, 2, 2])
  const phases = convolve(dy, kernel, { strides: [1, 1], pads: [0, 0, 1, 1], dilations: [1, 1], group: 1 })
  const woven = reshape(transpose(reshape(phases, [n, 2, 2, c, oh, ow]), [0, 3, 4, 1, 5, 2]), [n, c, 2 * oh, 2 * ow])
  const rows = h === 2 * oh ? woven : slice(woven, 2, 0, h)
  return w === 2 * ow ? rows : slice(rows, 3, 0, w)
}

/** Three taps along an axis as [phase 0: tap 1, none; phase 1: tap 2, tap 0]. */
function byPhase(weight: Value, axis: number): Value {
  const tap = (index: number) => slice(weight, axis, index, index + 1)
  return concat([tap(1), mul(tap(1), 0), tap(2), tap(0)], axis)
}

const canFlip = (product: ConvProduct) => backwardPads(product) !== undefined && !isPointwise(product)

/** Every form, on top of one way to convolve. */
function convolvedBy(convolve: Convolve, suffix: string, fits: (product: ConvProduct) => boolean): Lowering[] {
  return [
    {
      name: `flipped${suffix}`,
      fits: (product) => canFlip(product) && fits(product),
      build: (product, [weight, dy]) => flipped(product, weight, dy, convolve),
    },
    {
      name: `pointwise${suffix}`,
      fits: (product) => isPointwise(product) && fits(product),
      build: (product, [weight, dy]) => pointwise(product, weight, dy, convolve),
    },
    {
      name: `halved${suffix}`,
      fits: (product) => halves(product) && fits(product),
      build: (product, [weight, dy]) => halved(product, weight, dy, convolve),
    },
  ]
}

export const inputGradientLowerings: readonly Lowering[] = [
  ...convolvedBy(conv, "", () => true),
  ...channelBlocks.flatMap((block) =>
    convolvedBy(blockedConv(block), `-blocked-${block}`, ({ weightShape, group }) =>
      canBlock(block, weightShape[0] as number, weightShape[1] as number, group),
    ).map((lowering) => ({ ...lowering, channelBlock: block })),
  ),
  {
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
      return dy.graph.add("ConvTranspose", [dy, weight], {
        strides,
        pads,
        dilations,
        group,
        outputPadding: [missing(0), missing(1)],
      })[0] as Value
    },
  },
]
