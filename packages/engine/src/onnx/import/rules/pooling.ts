import {
  add,
  averagePool,
  conv,
  gather,
  globalAveragePool,
  maxPool,
  mul,
  reduceMax,
  reshape,
  sub,
} from "../../../graph/build.ts"
import type { Value } from "../../../graph/graph.ts"
import type { Shape } from "../../../graph/tensor.ts"
import type { ImportContext, ImportRule } from "../rule.ts"
import { exportAgain } from "./axes.ts"
import { constantOf, constantTensor } from "./constants.ts"
import { asImages, likeInput, type Pads, pairOf, reach, type Window, windowOf } from "./window.ts"

function pooled(c: ImportContext): { x: Value; window: Window; ceil: boolean } {
  const rank = c.input(0).shape.length - 2
  const x = asImages(c, c.input(0))
  if (!c.has("kernel_shape")) return c.fail("a kernel_shape", "none", exportAgain)
  const window = windowOf(c, rank, x.shape.slice(2), pairOf(c, "kernel_shape", rank, 1))
  return { x, window, ceil: c.int("ceil_mode", 0) !== 0 }
}

function largestPerWindow(c: ImportContext): readonly Value[] {
  const { x, window, ceil } = pooled(c)
  const [values, positions] = maxPool(x, { ...window, ceil })
  const isByColumn = (c.node.outputs[1] ?? "") !== "" && c.int("storage_order", 0) !== 0
  return [values, isByColumn ? countedByColumn(c, positions, x.shape) : positions].map((output) => likeInput(c, output))
}

/** Positions in [N, C, H, W] as they count where the columns of each image stand one after another. */
function countedByColumn(c: ImportContext, positions: Value, shape: Shape): Value {
  const [n, channels, h, w] = shape as [number, number, number, number]
  const before = constantTensor(c, "int64", [n, channels, 1, 1], ([image = 0, channel = 0]) => {
    return (image * channels + channel) * h * w
  })
  const byColumn = constantTensor(c, "int64", [h * w], ([at = 0]) => (at % w) * h + Math.floor(at / w))
  return add(gather(byColumn, sub(positions, before), 0), before)
}

function meanPerWindow(c: ImportContext): Value {
  const { x, window, ceil } = pooled(c)
  const countIncludePad = c.int("count_include_pad", 0) !== 0
  const { dilations, ...rest } = window
  if (dilations.some((dilation) => dilation !== 1)) {
    return likeInput(c, dilatedMean(c, x, window, ceil, countIncludePad))
  }
  return likeInput(c, averagePool(x, { ...rest, ceil, countIncludePad }))
}

/** A product with ones sums each window, and its numbers are counted while importing. */
function dilatedMean(
  c: ImportContext,
  x: Value,
  { kernel, strides, pads, dilations }: Window,
  ceil: boolean,
  countsPads: boolean,
): Value {
  const [n, channels, h, w] = x.shape as [number, number, number, number]
  const ones = constantOf(c, [1, 1, ...kernel], 1)
  /** What ceil mode adds after an axis, so that the last window that starts before its end is whole. */
  const added = (axis: 0 | 1, length: number) => {
    const free = length + pads[axis] + pads[(axis + 2) as 2 | 3] - reach(kernel[axis], dilations[axis])
    const start = Math.ceil(free / strides[axis]) * strides[axis]
    return ceil && free >= 0 && start < length + pads[axis] ? Math.max(0, start - free) : 0
  }
  const wider: Pads = [pads[0], pads[1], pads[2] + added(0, h), pads[3] + added(1, w)]
  const sums = conv(reshape(x, [n * channels, 1, h, w]), ones, { strides, pads: wider, dilations })
  const [rows, columns] = sums.shape.slice(2) as [number, number]
  const counted = (axis: 0 | 1, position: number, length: number) => {
    const [low, high] = countsPads ? [-pads[axis], length + pads[(axis + 2) as 2 | 3]] : [0, length]
    const start = position * strides[axis] - pads[axis]
    let count = 0
    for (let at = start; at < start + reach(kernel[axis], dilations[axis]); at += dilations[axis])
      if (at >= low && at < high) count++
    return count
  }
  const shares = constantTensor(
    c,
    "float32",
    [rows, columns],
    ([row = 0, column = 0]) => 1 / (counted(0, row, h) * counted(1, column, w)),
  )
  return reshape(mul(sums, shares), [n, channels, rows, columns])
}

function withPositions(c: ImportContext): Value {
  const x = c.input(0)
  return x.shape.length >= 3 ? x : c.fail("[N, C, positions]", `[${x.shape.join(", ")}]`, exportAgain)
}

export const poolingRules = {
  MaxPool: { since: 11, gradient: true, build: largestPerWindow },
  AveragePool: { since: 11, gradient: true, build: meanPerWindow },
  GlobalAveragePool: { since: 11, gradient: true, build: (c) => globalAveragePool(withPositions(c)) },
  GlobalMaxPool: {
    since: 11,
    gradient: true,
    build: (c) => {
      const x = withPositions(c)
      return reduceMax(
        x,
        x.shape.map((_, axis) => axis).filter((axis) => axis >= 2),
        true,
      )
    },
  },
} as const satisfies Readonly<Record<string, ImportRule>>
