import { add, concat, gemm, matMul, pad, reshape, slice, transpose } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import type { ConvProduct } from "./product.ts"

/** Column elements per chunk of the batch that stay in cache while a Gemm reads them; found by measurement. */
const columnElementsPerChunk = 2 ** 21

/**
 * Weight gradient as columns of patches times output gradient, a chunk of the batch at a time: x as [C, n, H, W], one
 * strided slice per tap, all taps stacked to [KH KW C, n OH OW], one Gemm a chunk. Groups have a matrix each, all of them
 * in one MatMul, so a depthwise convolution of hundreds of channels needs no more nodes than any other.
 */
export function patchColumns(product: ConvProduct, x: Value, dy: Value): Value {
  const { strides, dilations, pads, group } = product
  const [n, c] = product.inputShape as [number, number]
  const [o, cPerGroup, kh, kw] = product.weightShape as [number, number, number, number]
  const oPerGroup = o / group
  const [, , oh, ow] = product.outputShape as [number, number, number, number]
  const perChunk = Math.max(1, Math.min(n, Math.floor(columnElementsPerChunk / (kh * kw * c * oh * ow))))
  const parts: Value[] = []
  for (let start = 0; start < n; start += perChunk) {
    const count = Math.min(perChunk, n - start)
    const part = (value: Value) => (count === n ? value : slice(value, 0, start, start + count))
    const images = pad(transpose(part(x), [1, 0, 2, 3]), [0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]])
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
    const length = count * oh * ow
    const gradient = transpose(part(dy), [1, 0, 2, 3])
    if (group === 1) {
      const columns = reshape(concat(taps, 0), [kh * kw * c, length])
      parts.push(gemm(reshape(gradient, [o, length]), columns, { transB: true }))
      continue
    }
    const columns = concat(
      taps.map((tap) => reshape(tap, [group, cPerGroup, length])),
      1,
    )
    const perGroup = reshape(gradient, [group, oPerGroup, length])
    const rows = oPerGroup === 1 ? reshape(perGroup, [group, length, 1]) : transpose(perGroup, [0, 2, 1])
    parts.push(matMul(columns, rows)) // [group, KH KW C/group, O/group]
  }
  const total = parts.reduce((sum, part) => add(sum, part))
  if (group === 1) return transpose(reshape(total, [o, kh, kw, c]), [0, 3, 1, 2])
  const byTap = reshape(total, [group, kh, kw, cPerGroup, oPerGroup])
  return reshape(transpose(byTap, [0, 4, 3, 1, 2]), [o, cPerGroup, kh, kw])
}
