import { add, concat, gemm, pad, reshape, slice, transpose } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import { type Convolve, channelBlocks, swappedBlockedConv, swappedConv } from "./forward.ts"
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
const swapped =
  (convolve: Convolve) =>
  (product: ConvProduct, x: Value, dy: Value): Value => {
    const [, , kh, kw] = product.weightShape as [number, number, number, number]
    const correlated = convolve(transpose(x, [1, 0, 2, 3]), dy, {
      pads: product.pads,
      strides: product.dilations,
      dilations: product.strides,
      group: 1,
    })
    // A stride that does not divide the padded input leaves rows and columns that no weight stands for.
    return transpose(slice(slice(correlated, 2, 0, kh), 3, 0, kw), [1, 0, 2, 3])
  }

/**
 * Wide convolutions, one per phase of the stride. Taps p, p + s, ... read the rows p, p + s, ... of the padded images, so
 * each phase is a product of stride one. Its images lie side by side as [1, N, H', C W'], the output gradient shifted by
 * each of its columns of taps is the kernel [N, KW' O, OH, W'] (input channels first), and with stride [1, W'] the result [1, KW' O, KH', C]
 * holds all its taps.
 */
const wide =
  (convolve: Convolve) =>
  (product: ConvProduct, x: Value, dy: Value): Value => {
    const { strides, pads } = product
    const [, c] = product.inputShape as [number, number]
    const [o, , kh, kw] = product.weightShape as [number, number, number, number]
    const [n, , oh, ow] = product.outputShape as [number, number, number, number]
    const padded = padImages(x, pads)
    const tapsOf = (first: number, stride: number, kernel: number) => Math.ceil((kernel - first) / stride)
    const phaseTaps = (top: number, left: number): Value => {
      const [rows, columns] = [tapsOf(top, strides[0], kh), tapsOf(left, strides[1], kw)]
      const [h, w] = [oh + rows - 1, ow + columns - 1]
      const phase = phaseOf(padded, [top, left], strides, [h, w])
      const images = reshape(transpose(phase, [0, 2, 1, 3]), [1, n, h, c * w])
      const shifted = Array.from({ length: columns }, (_, column) =>
        pad(dy, [0, 0, 0, column, 0, 0, 0, columns - 1 - column]),
      )
      const taps = convolve(images, concat(shifted, 1), {
        strides: [1, w],
        pads: [0, 0, 0, 0],
        dilations: [1, 1],
        group: 1,
      })
      return transpose(reshape(taps, [columns, o, rows, c]), [1, 3, 2, 0])
    }
    const row = (tap: number) => {
      const [phase, index] = [tap % strides[0], Math.floor(tap / strides[0])]
      const phases = Array.from({ length: Math.min(strides[1], kw) }, (_, left) =>
        slice(phaseTaps(phase, left), 2, index, index + 1),
      )
      return interleave(phases, 3, kw)
    }
    if (strides[0] === 1 && strides[1] === 1) return phaseTaps(0, 0)
    return concat(
      Array.from({ length: kh }, (_, tap) => row(tap)),
      2,
    )
  }

/** The part of the images that starts at an offset and steps by the stride, as large as asked. */
function phaseOf(
  x: Value,
  [top, left]: readonly [number, number],
  strides: readonly [number, number],
  [h, w]: readonly [number, number],
): Value {
  if (top === 0 && left === 0 && strides[0] === 1 && strides[1] === 1 && x.shape[2] === h && x.shape[3] === w) return x
  return x.graph.add("Slice", [x], {
    starts: [top, left],
    ends: [top + (h - 1) * strides[0] + 1, left + (w - 1) * strides[1] + 1],
    axes: [2, 3],
    steps: [...strides],
  })[0] as Value
}

/** Takes index 0 of every part along an axis, then index 1 of every part, and so on, up to a total length. */
function interleave(parts: readonly Value[], axis: number, length: number): Value {
  const pieces = Array.from({ length }, (_, index) => {
    const place = Math.floor(index / parts.length)
    return slice(parts[index % parts.length] as Value, axis, place, place + 1)
  })
  return concat(pieces, axis)
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

type Build = (convolve: Convolve) => (product: ConvProduct, x: Value, dy: Value) => Value

/** A way that convolves with weights given as [inputs, outputs, ..], on plain tensors and in each blocked layout; there the batch takes the place of the channels. */
function onEveryLayout(name: string, build: Build, fits: (product: ConvProduct) => boolean): Lowering[] {
  const blocked = channelBlocks.map(
    (block): Lowering => ({
      name: `${name}-blocked-${block}`,
      channelBlock: block,
      fits: (product) => {
        const [n, o] = [product.inputShape[0] as number, product.weightShape[0] as number]
        return fits(product) && product.group === 1 && n % block === 0 && o % block === 0
      },
      build: byGroup(build(swappedBlockedConv(block))),
    }),
  )
  return [{ name, fits, build: byGroup(build(swappedConv)) }, ...blocked]
}

export const weightGradientLowerings: readonly Lowering[] = [
  { name: "patch-columns", fits: () => true, build: byGroup(patchColumns) },
  ...onEveryLayout("wide", wide, ({ dilations }) => dilations[0] === 1 && dilations[1] === 1),
  ...onEveryLayout("swapped", swapped, () => true),
]
