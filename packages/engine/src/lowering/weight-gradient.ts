import { concat, conv, mul, pad, reduceSum, reshape, slice, transpose } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import { floatTensor, sizeOf } from "../graph/tensor.ts"
import { blockedProduct, blockSwappedWeight, channelBlocks } from "./blocked.ts"
import { byColumn } from "./by-column.ts"
import { crop } from "./crop.ts"
import { depthwiseLowerings, isDepthwise } from "./depthwise.ts"
import { mergedGroups } from "./merged-groups.ts"
import { patchColumns } from "./patch-columns.ts"
import { pointwiseLowerings } from "./pointwise.ts"
import type { ConvProduct, Lowering } from "./product.ts"
import { winogradLowerings } from "./winograd.ts"

type Build = (product: ConvProduct, x: Value, dy: Value) => Value

/** Batch and channels swapped: the output gradient is the kernel, and strides become dilations. */
const swapped =
  (convolve: (x: Value, dy: Value, attributes: Required<Parameters<typeof blockedProduct>[3]>) => Value): Build =>
  (product, x, dy) => {
    const [, , kh, kw] = product.weightShape as [number, number, number, number]
    const correlated = convolve(transpose(x, [1, 0, 2, 3]), dy, {
      pads: product.pads,
      strides: product.dilations,
      dilations: product.strides,
      group: 1,
    })
    // A stride that does not divide the padded input leaves rows and columns that no weight stands for.
    return transpose(crop(correlated, kh, kw), [1, 0, 2, 3])
  }

/**
 * One strided wide convolution for stride one. The images of a row stand side by side as [1, N, H, C (W + gap)], each
 * followed by a gap of zeros; the output gradient, moved by each column of the kernel, is the kernel [KW O, N, OH, L] with
 * L = OW + KW - 1; with stride [1, W + gap] the result [1, KW O, KH, C] holds all taps.
 */
const wide: Build = (product, x, dy) => {
  const { pads } = product
  const [n, c, h, w] = product.inputShape as [number, number, number, number]
  const [o, , kh, kw] = product.weightShape as [number, number, number, number]
  const [, , oh, ow] = product.outputShape as [number, number, number, number]
  const gap = Math.max(pads[1], pads[3])
  const images = reshape(pad(transpose(x, [0, 2, 1, 3]), [0, 0, 0, 0, 0, 0, 0, gap]), [1, n, h, c * (w + gap)])
  const length = ow + kw - 1
  const rows = pad(transpose(dy, [1, 0, 2, 3]), [0, 0, 0, 0, 0, 0, 0, kw - 1])
  const kernel = reshape(movedCopies(rows, kw), [kw * o, n, oh, length])
  const taps = conv(images, kernel, { strides: [1, w + gap], pads: [pads[0], pads[1], pads[2], 0] })
  return transpose(reshape(taps, [kw, o, kh, c]), [1, 3, 2, 0])
}

/**
 * Copies of rows that end in count - 1 zeros, copy j moved right by j. Seen as one line of numbers, moving every row is
 * moving the line, since the zeros of one row's end come in at the next row's start; so the copies are the line again
 * and again with one more zero in between each time, cut off at the end.
 */
function movedCopies(rows: Value, count: number): Value {
  const total = sizeOf(rows.shape)
  const line = reshape(rows, [total])
  if (count === 1) return line
  const zero = rows.graph.constant(floatTensor([1]), "zero")
  const between = Array.from({ length: count - 2 }, () => [zero, line]).flat()
  return concat([line, ...between, zero, slice(line, 0, 0, total - (count - 1))], 0)
}

/** Each group on its own channels; the groups' weights follow one another. */
function byGroup(build: Build): Lowering["build"] {
  return (product, [x, dy]) => {
    const { group, inputShape, weightShape, outputShape } = product
    if (group === 1) return build(product, x, dy)
    const [c, o] = [weightShape[1] as number, (weightShape[0] as number) / group]
    const part: ConvProduct = {
      ...product,
      group: 1,
      inputShape: [inputShape[0] as number, c, ...inputShape.slice(2)],
      weightShape: [o, ...weightShape.slice(1)],
      outputShape: [outputShape[0] as number, o, ...outputShape.slice(2)],
    }
    const groups = Array.from({ length: group }, (_, index) =>
      build(part, slice(x, 1, index * c, (index + 1) * c), slice(dy, 1, index * o, (index + 1) * o)),
    )
    return concat(groups, 0)
  }
}

/** In a blocked layout the batch takes the place of the input channels. */
function canBlockBatch(block: number, { inputShape, weightShape, group }: ConvProduct): boolean {
  return (inputShape[0] as number) % block === 0 && ((weightShape[0] as number) / group) % block === 0
}

/** Groups that are taken apart cost nodes each; hundreds of them take minutes to compile. */
const hasFewGroups = ({ group }: ConvProduct) => group <= 4
/** Depthwise: for each tap the sum over batch and positions of the input it reads times the output gradient. */
const tapSums: Build = (product, x, dy) => {
  const { strides, dilations, pads } = product
  const [c, , kh, kw] = product.weightShape as [number, number, number, number]
  const [, , oh, ow] = product.outputShape as [number, number, number, number]
  const images = pad(x, [0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]])
  const sums: Value[] = []
  for (let row = 0; row < kh; row++) {
    for (let column = 0; column < kw; column++) {
      const [top, left] = [row * dilations[0], column * dilations[1]]
      const [read] = x.graph.add("Slice", [images], {
        starts: [top, left],
        ends: [top + (oh - 1) * strides[0] + 1, left + (ow - 1) * strides[1] + 1],
        axes: [2, 3],
        steps: [...strides],
      }) as [Value]
      sums.push(reshape(reduceSum(mul(read, dy), [0, 2, 3]), [c, 1]))
    }
  }
  return reshape(concat(sums, 1), [c, 1, kh, kw])
}

const isUndilated = ({ dilations }: ConvProduct) => dilations[0] === 1 && dilations[1] === 1
const isDense = ({ strides }: ConvProduct) => strides[0] === 1 && strides[1] === 1
/** Padding of at most a kernel's reach, so that no window lies in padding alone. */
const isReached = ({ pads, weightShape }: ConvProduct) =>
  Math.max(pads[0], pads[2]) < (weightShape[2] as number) && Math.max(pads[1], pads[3]) < (weightShape[3] as number)

const ways: readonly Lowering[] = [
  { name: "patch-columns", fits: () => true, build: (product, [x, dy]) => patchColumns(product, x, dy) },
  { name: "tap-sums", fits: isDepthwise, build: (product, [x, dy]) => tapSums(product, x, dy) },
  {
    name: "wide",
    fits: (product) => isUndilated(product) && isDense(product) && isReached(product) && hasFewGroups(product),
    build: byGroup(wide),
  },
  {
    name: "swapped",
    fits: hasFewGroups,
    build: byGroup(swapped((x, dy, attributes) => conv(x, transpose(dy, [1, 0, 2, 3]), attributes))),
  },
  ...channelBlocks.flatMap((block): Lowering[] => [
    {
      name: `by-column-blocked-${block}`,
      channelBlock: block,
      fits: (product) => isUndilated(product) && isReached(product) && canBlockBatch(block, product),
      build: (product, [x, dy]) => byColumn(product, x, dy, block),
    },
    {
      name: `swapped-blocked-${block}`,
      channelBlock: block,
      fits: (product) => product.group === 1 && canBlockBatch(block, product),
      build: (product, [x, dy]) =>
        swapped((images, gradient, attributes) =>
          blockedProduct(images, blockSwappedWeight(gradient, block), block, attributes),
        )(product, x, dy),
    },
  ]),
  ...pointwiseLowerings("weight-gradient"),
  ...depthwiseLowerings("weight-gradient"),
  ...winogradLowerings("weight-gradient"),
]

export const weightGradientLowerings: readonly Lowering[] = [
  ...ways,
  ...mergedGroups(ways.filter(({ name }) => name.startsWith("by-column"))),
]
