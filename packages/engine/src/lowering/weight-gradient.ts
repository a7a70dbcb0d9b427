import { add, concat, conv, gemm, pad, reshape, slice, transpose } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import type { ConvProduct, Lowering } from "./product.ts"

/** Column elements per chunk of the batch that stay in cache while a Gemm reads them; found by measurement. */
const columnElementsPerChunk = 2 ** 21

function padImages(x: Value, [top, left, bottom, right]: ConvProduct["pads"]): Value {
  return pad(x, [0, 0, top, left, 0, 0, bottom, right])
}

/**
 * Columns of patches times output gradient, a chunk of the batch at a time: x as [C, n, H, W], one strided slice per
 * tap, all taps stacked to [KH KW C, n OH OW], one Gemm a chunk.
 */
function patchColumns(product: ConvProduct, x: Value, dy: Value): Value {
  const { strides, dilations, pads } = product
  const [n, c] = product.inputShape as [number, number]
  const [o, , kh, kw] = product.weightShape as [number, number, number, number]
  const [, , oh, ow] = product.outputShape as [number, number, number, number]
  const perChunk = Math.max(1, Math.min(n, Math.floor(columnElementsPerChunk / (kh * kw * c * oh * ow))))
  const parts: Value[] = []
  for (let start = 0; start < n; start += perChunk) {
    const count = Math.min(perChunk, n - start)
    const part = (value: Value) => (count === n ? value : slice(value, 0, start, start + count))
    const images = padImages(transpose(part(x), [1, 0, 2, 3]), pads)
    const taps: Value[] = []
    for (let row = 0; row < kh; row++) {
      for (let column = 0; column < kw; column++) {
        const [top, left] = [row * dilations[0], column * dilations[1]]
        taps.push(
          x.graph.add("Slice", [images], {
            starts: [top, left],
            ends: [top + (oh - 1) * strides[0] + 1, left + (ow - 1) * strides[1] + 1],
            axes: [2, 3],
            steps: [...strides],
          })[0] as Value,
        )
      }
    }
    const columns = reshape(concat(taps, 0), [kh * kw * c, count * oh * ow])
    const gradient = reshape(transpose(part(dy), [1, 0, 2, 3]), [o, count * oh * ow])
    parts.push(gemm(gradient, columns, { transB: true }))
  }
  const total = parts.reduce((sum, part) => add(sum, part))
  return transpose(reshape(total, [o, kh, kw, c]), [0, 3, 1, 2])
}

/** Batch and channels swapped: the output gradient is the kernel, and strides become dilations. */
function swapped(product: ConvProduct, x: Value, dy: Value): Value {
  const [, , kh, kw] = product.weightShape as [number, number, number, number]
  const correlated = conv(transpose(x, [1, 0, 2, 3]), transpose(dy, [1, 0, 2, 3]), {
    pads: product.pads,
    strides: product.dilations,
    dilations: product.strides,
  })
  // A stride that does not divide the padded input leaves rows and columns that no weight stands for.
  return transpose(slice(slice(correlated, 2, 0, kh), 3, 0, kw), [1, 0, 2, 3])
}

/**
 * One strided wide convolution: the padded images side by side as [1, N, H', C W'], the output gradient shifted by each
 * column of the kernel as [KW O, N, OH, W'], stride [1, W']: the result [1, KW O, KH, C] holds every tap.
 */
function wide(product: ConvProduct, x: Value, dy: Value): Value {
  const [n, c] = product.inputShape as [number, number]
  const [o, , kh, kw] = product.weightShape as [number, number, number, number]
  const padded = padImages(x, product.pads)
  const [, , h, w] = padded.shape as [number, number, number, number]
  const images = reshape(transpose(padded, [0, 2, 1, 3]), [1, n, h, c * w])
  const gradient = transpose(dy, [1, 0, 2, 3])
  const shifted = Array.from({ length: kw }, (_, column) => pad(gradient, [0, 0, 0, column, 0, 0, 0, kw - 1 - column]))
  const taps = conv(images, concat(shifted, 0), { strides: [1, w] })
  return transpose(reshape(taps, [kw, o, kh, c]), [1, 3, 2, 0])
}

/** Each group on its own channels; the groups' weights follow one another. */
function byGroup(build: (product: ConvProduct, x: Value, dy: Value) => Value): Lowering["build"] {
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

export const weightGradientLowerings: readonly Lowering[] = [
  { name: "patch-columns", fits: () => true, build: byGroup(patchColumns) },
  {
    name: "wide",
    fits: ({ strides, dilations, weightShape }) =>
      [...strides, ...dilations].every((step) => step === 1) && weightShape[2] !== 1,
    build: byGroup(wide),
  },
  { name: "swapped", fits: () => true, build: byGroup(swapped) },
]
