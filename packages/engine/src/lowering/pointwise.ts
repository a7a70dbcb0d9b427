import { fusedMatMul, matMul, reduceSum, reshape } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import { crop } from "./crop.ts"
import type { ConvProduct, Lowering } from "./product.ts"

/**
 * Products with a kernel of 1x1 as one matrix product an image and group, on the tensors as they lie in memory: the weight is
 * [group, O, C] and images are [N, group, channels, positions]. Nothing is copied, save that a stride reads part of the input.
 */
function isPointwise({ weightShape, pads }: ConvProduct): boolean {
  return weightShape[2] === 1 && weightShape[3] === 1 && pads.every((length) => length === 0)
}

const isDense = ({ strides }: ConvProduct) => strides[0] === 1 && strides[1] === 1

/** The positions of [N, C, H, W] that a stride reads. */
function readPositions({ strides, outputShape }: ConvProduct, x: Value): Value {
  const [, , oh, ow] = outputShape as [number, number, number, number]
  if (strides[0] === 1 && strides[1] === 1) return crop(x, oh, ow)
  return x.graph.add("Slice", [x], {
    starts: [0, 0],
    ends: [(oh - 1) * strides[0] + 1, (ow - 1) * strides[1] + 1],
    axes: [2, 3],
    steps: [...strides],
  })[0] as Value
}

/** [N, C, H, W] as [N, group, C / group, H W], without the group where there is one alone. */
function byImage(x: Value, group: number): Value {
  const [n, c, h, w] = x.shape as [number, number, number, number]
  return reshape(x, group === 1 ? [n, c, h * w] : [n, group, c / group, h * w])
}

/** [O, C/group, 1, 1] as [group, O/group, C/group], without the group where there is one alone. */
function byGroup(weight: Value, group: number): Value {
  const [o, c] = weight.shape as [number, number]
  return reshape(weight, group === 1 ? [o, c] : [group, o / group, c])
}

function forward(product: ConvProduct, x: Value, weight: Value): Value {
  const images = byImage(readPositions(product, x), product.group)
  return reshape(matMul(byGroup(weight, product.group), images), product.outputShape)
}

function inputGradient(product: ConvProduct, weight: Value, dy: Value): Value {
  const images = fusedMatMul(byGroup(weight, product.group), byImage(dy, product.group), { transA: true })
  return reshape(images, product.inputShape)
}

function weightGradient(product: ConvProduct, x: Value, dy: Value): Value {
  const { group } = product
  const images = byImage(readPositions(product, x), group)
  const perImage = fusedMatMul(byImage(dy, group), images, { transB: true }) // [N, group, O / group, C / group]
  return reshape(reduceSum(perImage, [0]), product.weightShape)
}

const ways = {
  forward: { fits: isPointwise, build: forward },
  "input-gradient": { fits: (product) => isPointwise(product) && isDense(product), build: inputGradient },
  "weight-gradient": { fits: isPointwise, build: weightGradient },
} as const satisfies Record<string, Pick<Lowering, "fits"> & { build(product: ConvProduct, a: Value, b: Value): Value }>

/** A 1x1 product of one kind as matrix products. */
export function pointwiseLowerings(kind: keyof typeof ways): readonly Lowering[] {
  const { fits, build } = ways[kind]
  return [{ name: "matrices", fits, build: (product, [a, b]) => build(product, a, b) }]
}
