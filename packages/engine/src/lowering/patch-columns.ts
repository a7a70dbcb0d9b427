import { add, concat, gemm, pad, reshape, slice, transpose } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import type { ConvProduct } from "./product.ts"

/** Column elements per chunk of the batch that stay in cache while a Gemm reads them; found by measurement. */
const columnElementsPerChunk = 2 ** 21

/**
 * Weight gradient as columns of patches times output gradient, a chunk of the batch at a time: x as [C, n, H, W], one
 * strided slice per tap, all taps stacked to [KH KW C, n OH OW], one Gemm a chunk.
 */
export function patchColumns(product: ConvProduct, x: Value, dy: Value): Value {
  const { strides, dilations, pads } = product
  const [n, c] = product.inputShape as [number, number]
  const [o, , kh, kw] = product.weightShape as [number, number, number, number]
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
    const columns = reshape(concat(taps, 0), [kh * kw * c, count * oh * ow])
    const gradient = reshape(transpose(part(dy), [1, 0, 2, 3]), [o, count * oh * ow])
    parts.push(gemm(gradient, columns, { transB: true }))
  }
  const total = parts.reduce((sum, part) => add(sum, part))
  return transpose(reshape(total, [o, kh, kw, c]), [0, 3, 1, 2])
}
