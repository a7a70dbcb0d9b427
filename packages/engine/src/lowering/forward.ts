import { conv, reshape, transpose } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import type { ConvAttributes } from "../graph/ops.ts"
import type { Lowering } from "./product.ts"

/** Channels of a block of ONNX Runtime's blocked layout: 8 with AVX2, 16 with AVX-512. `probeChannelBlock` finds out. */
export const channelBlocks = [8, 16] as const

/** Inputs of fewer channels than a block (an image's colours) are read in the plain layout. */
export function canBlock(block: number, inputChannels: number, outputChannels: number, group: number): boolean {
  return group === 1 && outputChannels % block === 0 && (inputChannels % block === 0 || inputChannels < block)
}

/** [O, C, KH, KW] in the order the blocked convolution reads: blocks of outputs, blocks of inputs, taps, then both blocks' channels. */
function blockWeight(weight: Value, block: number): Value {
  const [o, c, kh, kw] = weight.shape as [number, number, number, number]
  const blocked =
    c < block
      ? transpose(reshape(weight, [o / block, block, c, kh, kw]), [0, 2, 3, 4, 1])
      : transpose(reshape(weight, [o / block, block, c / block, block, kh, kw]), [0, 2, 4, 5, 3, 1])
  return reshape(blocked, weight.shape)
}

/** One way to convolve [N, C, H, W] with [O, C/group, KH, KW]. */
export type Convolve = (x: Value, weight: Value, attributes: ConvAttributes) => Value

/** A convolution in the blocked layout, with plain tensors in and out. */
export const blockedConv =
  (block: number): Convolve =>
  (x, weight, attributes) =>
    blockedProduct(x, blockWeight(weight, block), block, attributes)

/** A plain convolution whose weight comes as [C, O, KH, KW]. */
export const swappedConv: Convolve = (x, weight, attributes) => conv(x, transpose(weight, [1, 0, 2, 3]), attributes)

/**
 * A convolution in the blocked layout whose weight comes as [C, O, KH, KW]. Seen as images, such a weight only has to be
 * reordered and its blocks moved, 16 numbers at a time; that is twice as fast as moving single numbers.
 */
export const swappedBlockedConv =
  (block: number): Convolve =>
  (x, weight, attributes) => {
    const [c, o, kh, kw] = weight.shape as [number, number, number, number]
    const reordered = x.graph.add("NchwcReorderInput", [weight], {})[0] as Value
    const blocks = reshape(reordered, [c / block, block, o / block, kh * kw, block])
    return blockedProduct(x, reshape(transpose(blocks, [2, 0, 3, 1, 4]), [o, c, kh, kw]), block, attributes)
  }

function blockedProduct(x: Value, blockedWeight: Value, block: number, attributes: ConvAttributes): Value {
  const { graph } = x
  const [o, c] = blockedWeight.shape as [number, number]
  const input = c < block ? x : (graph.add("NchwcReorderInput", [x], {})[0] as Value)
  const output = graph.add("NchwcConv", [input, blockedWeight], { ...attributes, channels: o })[0] as Value
  return graph.add("NchwcReorderOutput", [output], { channels: o })[0] as Value
}

export const forwardLowerings: readonly Lowering[] = [
  { name: "plain", fits: () => true, build: (product, [x, weight]) => conv(x, weight, product) },
  ...channelBlocks.map(
    (block): Lowering => ({
      name: `blocked-${block}`,
      channelBlock: block,
      fits: ({ weightShape, group }) => canBlock(block, weightShape[1] as number, weightShape[0] as number, group),
      build: ({ strides, pads, dilations, group }, [x, weight]) =>
        blockedConv(block)(x, weight, { strides, pads, dilations, group }),
    }),
  ),
]
