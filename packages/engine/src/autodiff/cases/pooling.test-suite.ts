import * as op from "../../graph/build.ts"
import type { OpAttributes } from "../../graph/ops.ts"
import type { Shape } from "../../graph/tensor.ts"
import type { GradientCase } from "../../testing/finite-differences.ts"
import { distinct, type GradientCases } from "./draws.test-suite.ts"

type Kernel = readonly [number, number]
const unpadded = { pads: [0, 0, 0, 0], dilations: [1, 1], ceil: false } as const

const maxPool = (
  shape: Shape,
  kernel: Kernel,
  strides: Kernel,
  rest: Partial<OpAttributes["MaxPool"]> = {},
): GradientCase => ({
  inputs: [{ shape, ...distinct() }],
  build: (x) => op.maxPool(x, { ...unpadded, kernel, strides, ...rest })[0],
})

/** Both ways to count padding. */
const averagePool = (
  shape: Shape,
  kernel: Kernel,
  strides: Kernel,
  { pads = unpadded.pads, ceil = false }: Partial<OpAttributes["AveragePool"]> = {},
): GradientCase[] =>
  [false, true].map((countIncludePad) => ({
    inputs: [{ shape }],
    build: (x) => op.averagePool(x, { kernel, strides, pads, ceil, countIncludePad }),
  }))

export const poolingCases = {
  MaxPool: [
    maxPool([2, 3, 4, 6], [2, 2], [2, 2]),
    maxPool([1, 2, 6, 5], [3, 3], [2, 2], { pads: [1, 1, 1, 1] }),
    maxPool([2, 1, 5, 6], [3, 2], [1, 1], { pads: [2, 0, 1, 1] }),
    maxPool([1, 2, 7, 6], [2, 3], [2, 1], { dilations: [2, 2] }),
    maxPool([1, 2, 7, 5], [3, 3], [2, 2], { dilations: [2, 1], pads: [1, 0, 2, 1], ceil: true }),
    maxPool([1, 2, 5, 6], [2, 3], [2, 2], { ceil: true }),
    maxPool([1, 1, 6, 6], [3, 3], [2, 2], { pads: [1, 1, 1, 1], ceil: true }),
    // the last window would start in the padding behind the input, and is dropped
    maxPool([1, 1, 4, 3], [2, 2], [3, 2], { pads: [1, 1, 1, 1], ceil: true }),
    maxPool([1, 2, 7, 7], [2, 2], [3, 3]),
    maxPool([2, 2, 1, 9], [1, 3], [1, 2], { pads: [0, 1, 0, 1] }),
    maxPool([2, 2, 1, 1], [1, 1], [1, 1]),
  ],
  AveragePool: [
    ...averagePool([2, 3, 4, 6], [2, 3], [2, 3]),
    ...averagePool([1, 2, 6, 5], [3, 3], [2, 2], { pads: [1, 1, 1, 1] }),
    ...averagePool([1, 2, 5, 4], [3, 2], [1, 1], { pads: [2, 0, 1, 1] }),
    ...averagePool([1, 2, 5, 6], [2, 3], [2, 2], { ceil: true }),
    ...averagePool([1, 1, 6, 6], [3, 3], [2, 2], { pads: [1, 1, 1, 1], ceil: true }),
    ...averagePool([1, 2, 7, 4], [3, 2], [3, 3], { pads: [0, 1, 2, 1], ceil: true }),
    ...averagePool([1, 1, 4, 3], [2, 2], [3, 2], { pads: [1, 1, 1, 1], ceil: true }),
    ...averagePool([1, 2, 7, 8], [2, 2], [3, 3]),
    ...averagePool([1, 2, 5, 5], [2, 2], [2, 2]),
    ...averagePool([2, 2, 1, 8], [1, 3], [1, 2], { pads: [0, 1, 0, 1] }),
    ...averagePool([2, 2, 3, 2], [3, 2], [1, 1]),
    ...averagePool([1, 1, 1, 1], [1, 1], [1, 1]),
  ],
  GlobalAveragePool: [
    { inputs: [{ shape: [2, 3, 2, 4] }], build: op.globalAveragePool },
    { inputs: [{ shape: [2, 1, 1, 1] }], build: op.globalAveragePool },
  ],
} as const satisfies GradientCases
