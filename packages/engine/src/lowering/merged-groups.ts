import { mul, reduceSum, reshape } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import { floatTensor } from "../graph/tensor.ts"
import { isDepthwise } from "./depthwise.ts"
import type { ConvProduct, Lowering } from "./product.ts"

/** Channels of a merged group for ways that leave the blocks to ONNX Runtime, which puts constant weights into them. */
const wantedChannels = 16

/**
 * How many neighbouring groups make one whose channels fill blocks, inputs and outputs alike; undefined where one does by
 * itself or none can. Merging costs as many times the arithmetic, so it stops at a block.
 */
function mergedCount(product: ConvProduct, block: number): number | undefined {
  const { group, weightShape } = product
  if (group === 1 || isDepthwise(product)) return undefined
  const [inputs, outputs] = [weightShape[1] as number, (weightShape[0] as number) / group]
  for (let count = 1; count <= Math.min(group, block); count++) {
    const isWhole = group % count === 0 && (count * inputs) % block === 0 && (count * outputs) % block === 0
    if (isWhole) return count > 1 ? count : undefined
  }
  return undefined
}

function merged(product: ConvProduct, count: number): ConvProduct {
  const [o, c, kh, kw] = product.weightShape as [number, number, number, number]
  return { ...product, group: product.group / count, weightShape: [o, count * c, kh, kw] }
}

/** [group / count, count, O / group, 1 or count, C/group KH KW]: groups that are merged stand next to one another. */
function splitShape({ group, weightShape }: ConvProduct, count: number, inner: 1 | "count"): number[] {
  const [o, c, kh, kw] = weightShape as [number, number, number, number]
  return [group / count, count, o / group, inner === 1 ? 1 : count, c * kh * kw]
}

/** Each of the merged groups reads its own channels and no others. */
function ownChannels({ graph }: Value, count: number): Value {
  const identity = Float32Array.from({ length: count * count }, (_, index) => (index % (count + 1) === 0 ? 1 : 0))
  return graph.constant(floatTensor([1, count, 1, count, 1], identity), "own channels")
}

function mergeWeight(product: ConvProduct, weight: Value, count: number): Value {
  const spread = mul(reshape(weight, splitShape(product, count, 1)), ownChannels(weight, count))
  return reshape(spread, merged(product, count).weightShape)
}

function partWeight(product: ConvProduct, weight: Value, count: number): Value {
  const own = mul(reshape(weight, splitShape(product, count, "count")), ownChannels(weight, count))
  return reshape(reduceSum(own, [3]), product.weightShape)
}

function build(lowering: Lowering, product: ConvProduct, [a, b]: readonly [Value, Value], count: number): Value {
  const wide = merged(product, count)
  switch (product.kind) {
    case "forward":
    case "inference":
      return lowering.build(wide, [a, mergeWeight(product, b, count)])
    case "input-gradient":
      return lowering.build(wide, [mergeWeight(product, a, count), b])
    case "weight-gradient":
      return partWeight(product, lowering.build(wide, [a, b]), count)
  }
}

/**
 * Ways for groups of a few channels: neighbouring groups become one with zeros where they do not touch, which costs
 * arithmetic and wins because kernels for a few channels are slow.
 */
export function mergedGroups(lowerings: readonly Lowering[]): readonly Lowering[] {
  return lowerings.map((lowering) => {
    const countOf = (product: ConvProduct) => mergedCount(product, lowering.channelBlock ?? wantedChannels)
    return {
      ...lowering,
      name: `merged-${lowering.name}`,
      fits: (product) => {
        const count = countOf(product)
        return count !== undefined && lowering.fits(merged(product, count))
      },
      build: (product, factors) => build(lowering, product, factors, countOf(product) as number),
    }
  })
}
