import { concat, pad, reshape, slice, transpose } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import { blockSwappedWeight, convolveBlocked, reorder } from "./blocked.ts"
import type { ConvProduct } from "./product.ts"

/** The taps of one axis that read the same phase of the input, and how far each moves. */
interface Phase {
  /** First position of the input that belongs to the phase, in 0..stride-1. */
  readonly first: number
  /** Positions of the input in the phase. */
  readonly length: number
  /** Tap t at output position i reads position i + shift of the phase. */
  readonly taps: readonly { readonly tap: number; readonly shift: number }[]
}

function phasesOf(kernel: number, stride: number, padding: number, length: number): Phase[] {
  const phases = new Map<number, { tap: number; shift: number }[]>()
  for (let tap = 0; tap < kernel; tap++) {
    const offset = tap - padding
    const first = ((offset % stride) + stride) % stride
    const taps = phases.get(first) ?? []
    taps.push({ tap, shift: (offset - first) / stride })
    phases.set(first, taps)
  }
  return [...phases].map(([first, taps]) => ({ first, length: Math.ceil((length - first) / stride), taps }))
}

/**
 * Weight gradient by one blocked convolution per column of the kernel (and per row phase of a stride), the batch in the
 * place of the channels. The images of a row stand side by side as [1, N, H', C (W' + gap)] with gaps of zeros, the output
 * gradient is the kernel [O, N, OH, OW], and a stride of W' + gap steps from one input channel to the next: the result
 * [1, O, rows, C] holds a column of taps. Columns differ by the padding on the left alone, so images and kernel are brought
 * into the layout once for all of them. Groups of channels are groups of that convolution.
 */
export function byColumn(product: ConvProduct, x: Value, dy: Value, block: number): Value {
  const { strides, pads, group } = product
  const [n, channels, h, w] = product.inputShape as [number, number, number, number]
  const [o, c, kh, kw] = product.weightShape as [number, number, number, number]
  const [, , oh, ow] = product.outputShape as [number, number, number, number]
  const batchInside = reshape(reorder(reshape(x, [n / block, block, 1, channels * h * w])), [
    n / block,
    channels,
    h,
    w,
    block,
  ])
  const kernel = blockSwappedWeight(dy, block)
  const taps = new Map<string, Value>()
  for (const rows of phasesOf(kh, strides[0], pads[0], h)) {
    for (const columns of phasesOf(kw, strides[1], pads[1], w)) {
      const shifts = columns.taps.map(({ shift }) => shift)
      const gap = Math.max(0, -Math.min(...shifts), Math.max(...shifts) + ow - columns.length)
      const step = columns.length + gap
      const images = sideBySide(phaseOf(batchInside, rows, columns, strides), gap, group, [
        1,
        group * n,
        rows.length,
        c * step,
      ])
      const lowest = Math.min(...rows.taps.map(({ shift }) => shift))
      const highest = Math.max(...rows.taps.map(({ shift }) => shift))
      for (const { tap, shift } of columns.taps) {
        // A move to the right is a whole step of padding less the move; the first result then lies in padding.
        const isMovedRight = shift > 0
        const left = isMovedRight ? step - shift : -shift
        const right = Math.max(0, shift + ow - step)
        const bottom = Math.max(0, highest + oh - rows.length)
        const result = convolveBlocked(images, kernel, {
          strides: [1, step],
          pads: [Math.max(0, -lowest), left, bottom, right],
          dilations: [1, 1],
          group,
        })
        const found = slice(result, 3, isMovedRight ? 1 : 0, isMovedRight ? c + 1 : c)
        for (const row of rows.taps) {
          const at = row.shift - Math.min(0, lowest)
          taps.set(`${row.tap} ${tap}`, slice(found, 2, at, at + 1))
        }
      }
    }
  }
  const ordered = Array.from({ length: kh * kw }, (_, index) =>
    reshape(taps.get(`${Math.floor(index / kw)} ${index % kw}`) as Value, [o, c, 1]),
  )
  return reshape(concat(ordered, 2), [o, c, kh, kw])
}

/** Every stride-th row and column of [N/b, C, H, W, b]. */
function phaseOf(x: Value, rows: Phase, columns: Phase, strides: readonly [number, number]): Value {
  if (strides[0] === 1 && strides[1] === 1) return x
  return x.graph.add("Slice", [x], {
    starts: [rows.first, columns.first],
    ends: [x.shape[2] as number, x.shape[3] as number],
    axes: [2, 3],
    steps: [...strides],
  })[0] as Value
}

/** [N/b, C, H, W, b] as rows in which the channels of a group follow one another, each with a gap of zeros behind it. */
function sideBySide(phase: Value, gap: number, group: number, shape: readonly number[]): Value {
  const [n, c, h, w, block] = phase.shape as [number, number, number, number, number]
  const rowsFirst =
    group === 1
      ? transpose(phase, [0, 2, 1, 3, 4])
      : reshape(transpose(reshape(phase, [n, group, c / group, h, w, block]), [1, 0, 3, 2, 4, 5]), [
          group * n,
          h,
          c / group,
          w,
          block,
        ])
  return reshape(pad(rowsFirst, [0, 0, 0, 0, 0, 0, 0, 0, gap, 0]), shape)
}
