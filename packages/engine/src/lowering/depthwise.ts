import { reduceSum, reshape, slice } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import type { ConvAttributes } from "../graph/ops.ts"
import { backwardPads } from "./backward-pads.ts"
import { channelBlocks, reorder } from "./blocked.ts"
import { crop } from "./crop.ts"
import type { ConvProduct, Lowering } from "./product.ts"

/**
 * Depthwise products: as many groups as channels, one output each. They do next to no arithmetic, so what counts is how
 * often a tensor is read and written; ONNX Runtime's blocked kernel for them reads each once and keeps its sums in
 * registers.
 */
export function isDepthwise({ group, inputShape, weightShape }: ConvProduct): boolean {
  return group > 1 && inputShape[1] === group && weightShape[0] === group
}

/** The blocked kernel takes whole blocks of groups. */
export function canBlockDepthwise(block: number, product: ConvProduct): boolean {
  return isDepthwise(product) && product.group % block === 0
}

/** A depthwise convolution of a plain tensor, back to a plain tensor. `weight` is [C, 1, KH, KW] in any order of memory. */
function convolveDepthwise(x: Value, blockedWeight: Value, attributes: ConvAttributes): Value {
  const channels = attributes.group
  const [y] = x.graph.add("NchwcConv", [x, blockedWeight], { ...attributes, channels }) as [Value]
  return x.graph.add("NchwcReorderOutput", [y], { channels })[0] as Value
}

/** [C, 1, KH, KW] in the order that the blocked kernel reads, [C/b, KH KW, b]; on request with its taps in reverse order. */
export function blockTaps(weight: Value, isReversed = false): Value {
  const [c, , kh, kw] = weight.shape as [number, number, number, number]
  const taps = reshape(weight, [1, c, 1, kh * kw])
  const ordered = isReversed && kh * kw > 1 ? slice(taps, 3, -1, -(2 ** 31), -1) : taps
  return reshape(reorder(ordered), weight.shape)
}

/** Forward in the blocked layout. */
function depthwiseForward(product: ConvProduct, x: Value, weight: Value): Value {
  return convolveDepthwise(reorder(x), blockTaps(weight), product)
}

/** Input gradient in the blocked layout at stride one: the taps reversed. */
function depthwiseInputGradient(product: ConvProduct, weight: Value, dy: Value): Value {
  const pads = backwardPads(product) as ConvAttributes["pads"]
  return convolveDepthwise(reorder(dy), blockTaps(weight, true), { ...product, pads })
}

/**
 * Weight gradient in the blocked layout: images and channels together are the groups of one depthwise convolution whose
 * kernels are the output gradients, [1, N C, H, W] by [N C, 1, OH, OW], strides become dilations. Blocks of channels lie in
 * memory as blocks of those groups do, and a blocked tensor as a blocked depthwise kernel, so nothing but the two
 * reorders moves. The sum over the images is left.
 */
function depthwiseWeightGradient(product: ConvProduct, x: Value, dy: Value): Value {
  const [n, c, h, w] = product.inputShape as [number, number, number, number]
  const [, , kh, kw] = product.weightShape as [number, number, number, number]
  const [, , oh, ow] = product.outputShape as [number, number, number, number]
  const correlated = convolveDepthwise(
    reshape(reorder(x), [1, n * c, h, w]),
    reshape(reorder(dy), [n * c, 1, oh, ow]),
    {
      pads: product.pads,
      strides: product.dilations,
      dilations: product.strides,
      group: n * c,
    },
  )
  return reshape(reduceSum(reshape(crop(correlated, kh, kw), [n, c * kh * kw]), [0]), product.weightShape)
}

const isDense = ({ strides }: ConvProduct) => strides[0] === 1 && strides[1] === 1

const ways = {
  forward: { fits: () => true, build: depthwiseForward },
  "input-gradient": {
    fits: (product) => isDense(product) && backwardPads(product) !== undefined,
    build: depthwiseInputGradient,
  },
  "weight-gradient": { fits: () => true, build: depthwiseWeightGradient },
} as const satisfies Record<string, Pick<Lowering, "fits"> & { build(product: ConvProduct, a: Value, b: Value): Value }>

/** The depthwise products of one kind, in the blocked layout. */
export function depthwiseLowerings(kind: keyof typeof ways): readonly Lowering[] {
  const { fits, build } = ways[kind]
  return channelBlocks.map((block) => ({
    name: `depthwise-blocked-${block}`,
    channelBlock: block,
    fits: (product) => canBlockDepthwise(block, product) && fits(product),
    build: (product, [a, b]) => build(product, a, b),
  }))
}
