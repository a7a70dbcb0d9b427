import { reshape, slice, transpose } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import type { ConvAttributes } from "../graph/ops.ts"

/**
 * ONNX Runtime's blocked layout [N, C/block, H, W, block]: its fastest convolutions work on it, and its optimiser uses it
 * by itself where weights are constant. In training they are not, so weights are blocked in the graph.
 *
 * `NchwcReorderInput` brings one axis inside in blocks at the speed of memory, while a general `Transpose` that moves
 * single numbers is several times slower. So everything here is a reorder followed by moves of whole blocks.
 */

/** Channels of a block: 8 with AVX2, 16 with AVX-512. `probeChannelBlock` finds out. */
export const channelBlocks = [8, 16] as const

/**
 * Whether the blocked layout can hold a product whose groups read and write so many channels each. Inputs of fewer channels
 * than a block (an image's colours) are read in the plain layout.
 */
export function canBlock(block: number, inputsPerGroup: number, outputsPerGroup: number, group: number): boolean {
  return (
    outputsPerGroup % block === 0 &&
    (inputsPerGroup % block === 0 || (inputsPerGroup < block && group === 1)) &&
    inputsPerGroup > 0
  )
}

/** [A, B, ...rest] in memory order [A, B/block, rest, block], with its shape kept. */
export function reorder(x: Value): Value {
  return x.graph.add("NchwcReorderInput", [x], {})[0] as Value
}

/** A weight [O, C, KH, KW] in the order the blocked convolution reads: [O/b, C/b, KH KW, b inputs, b outputs]. */
export function blockWeight(weight: Value, block: number): Value {
  const [o, c, kh, kw] = weight.shape as [number, number, number, number]
  const outputsInside = reorder(reshape(weight, [1, o, 1, c * kh * kw]))
  if (c < block) return reshape(outputsInside, weight.shape)
  const blocks = reshape(outputsInside, [o / block, c / block, block, kh * kw, block])
  return reshape(transpose(blocks, [0, 1, 3, 2, 4]), weight.shape)
}

/**
 * The same for a weight that comes with the channels of each group swapped, [group C, O, KH, KW] as a weight of
 * [group O, C, KH, KW]; on request with its taps in reverse order.
 */
export function blockSwappedWeight(weight: Value, block: number, isReversed = false, group = 1): Value {
  const [c, o, kh, kw] = weight.shape as [number, number, number, number]
  const ordered = swapBlocks(weight, block, group)
  const taps = isReversed && kh * kw > 1 ? slice(ordered, ordered.shape.length - 3, -1, -(2 ** 31), -1) : ordered
  return reshape(taps, [o * group, c / group, kh, kw])
}

/** [group C, O, KH, KW] as [group, O/b, C/b, KH KW, b channels of C, b channels of O]. */
export function swapBlocks(weight: Value, block: number, group: number): Value {
  const [c, o, kh, kw] = weight.shape as [number, number, number, number]
  const [inputs, outputs] = [c / group / block, o / block]
  const blocks = reorder(weight)
  return group === 1
    ? transpose(reshape(blocks, [inputs, block, outputs, kh * kw, block]), [2, 0, 3, 1, 4])
    : transpose(reshape(blocks, [group, inputs, block, outputs, kh * kw, block]), [0, 3, 1, 4, 2, 5])
}

/** A convolution of a plain tensor with a blocked weight, back to a plain tensor. */
export function blockedProduct(x: Value, weight: Value, block: number, attributes: ConvAttributes): Value {
  return convolveBlocked((weight.shape[1] as number) < block ? x : reorder(x), weight, attributes)
}

/** A convolution of a tensor that is blocked already (or has fewer channels than a block). */
export function convolveBlocked(x: Value, weight: Value, { strides, pads, dilations, group }: ConvAttributes): Value {
  const channels = weight.shape[0] as number
  const output = x.graph.add("NchwcConv", [x, weight], { strides, pads, dilations, group, channels })[0] as Value
  return x.graph.add("NchwcReorderOutput", [output], { channels })[0] as Value
}
