import * as op from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import type { Shape } from "../../graph/tensor.ts"
import type { GradientCase } from "../../testing/finite-differences.ts"
import type { GradientCases } from "./draws.test-suite.ts"

const conv = (x: Shape, w: Shape, attributes: Parameters<typeof op.conv>[2] = {}): GradientCase => ({
  inputs: [{ shape: x }, { shape: w }],
  build: (image, weight) => op.conv(image, weight, attributes),
})

const convTranspose = (x: Shape, w: Shape, attributes: Parameters<typeof op.convTranspose>[2] = {}): GradientCase => ({
  inputs: [{ shape: x }, { shape: w }],
  build: (image, weight) => op.convTranspose(image, weight, attributes),
})

export const productCases = {
  MatMul: (
    [
      [
        [2, 3],
        [3, 4],
      ],
      [
        [2, 2, 3],
        [3, 2],
      ],
      [
        [2, 1, 2, 3],
        [3, 3, 2],
      ],
      [
        [2, 3],
        [4, 3, 2],
      ],
      [
        [1, 1],
        [1, 1],
      ],
      [
        [1, 3],
        [3, 1],
      ],
      [
        [2, 1],
        [1, 3],
      ],
      [
        [2, 0],
        [0, 3],
      ],
      [
        [0, 2],
        [2, 3],
      ],
    ] as const
  ).map(([a, b]) => ({ inputs: [{ shape: a }, { shape: b }], build: op.matMul })),
  Gemm: [false, true].flatMap((transA) =>
    [false, true].flatMap((transB) =>
      (
        [
          [2, 3, 4],
          [1, 1, 1],
          [1, 3, 1],
        ] as const
      ).map(([m, k, n]) => ({
        inputs: [{ shape: transA ? [k, m] : [m, k] }, { shape: transB ? [n, k] : [k, n] }],
        build: (a: Value, b: Value) => op.gemm(a, b, { transA, transB, alpha: 0.7 }),
      })),
    ),
  ),
  FusedMatMul: [false, true].flatMap((transA) =>
    [false, true].flatMap((transB) =>
      (
        [
          [[], [2, 3, 4], []],
          [[2], [2, 3, 2], [2]],
          [
            [2, 3],
            [2, 1, 3],
            [1, 3],
          ],
          [[2], [2, 3, 2], []],
          [[], [3, 2, 2], [2, 1]],
          [[2], [1, 1, 1], [2]],
          [[2], [2, 0, 2], [2]],
        ] as const
      ).map(([batchA, [m, k, n], batchB]) => ({
        inputs: [
          { shape: [...batchA, ...(transA ? [k, m] : [m, k])] },
          { shape: [...batchB, ...(transB ? [n, k] : [k, n])] },
        ],
        build: (a: Value, b: Value) => op.fusedMatMul(a, b, { transA, transB, alpha: 0.7 }),
      })),
    ),
  ),
  Conv: [
    conv([2, 3, 5, 4], [2, 3, 3, 3], { pads: [1, 1, 1, 1] }),
    conv([2, 2, 6, 5], [3, 2, 3, 3], { pads: [1, 1, 1, 1], strides: [2, 2] }),
    conv([1, 4, 5, 5], [6, 2, 3, 2], { group: 2, pads: [0, 1, 2, 0] }),
    // dilations, alone and with strides and pads of their own
    conv([1, 2, 7, 6], [3, 2, 3, 2], { dilations: [2, 3] }),
    conv([1, 2, 8, 7], [2, 2, 3, 3], { dilations: [2, 1], strides: [1, 2], pads: [2, 0, 1, 1] }),
    // depthwise, with one and with two outputs a channel
    conv([2, 3, 5, 5], [3, 1, 3, 3], { group: 3, pads: [1, 1, 1, 1] }),
    conv([1, 3, 6, 5], [6, 1, 3, 3], { group: 3, pads: [1, 1, 1, 1], strides: [2, 2] }),
    conv([1, 4, 6, 6], [4, 2, 3, 3], { group: 2, strides: [2, 2], pads: [1, 0, 0, 1] }),
    // strides larger than the kernel, and rows and columns at the end that no window reaches
    conv([1, 2, 7, 8], [2, 2, 2, 2], { strides: [3, 4] }),
    conv([1, 2, 6, 7], [2, 2, 1, 1], { strides: [3, 2] }),
    conv([1, 2, 6, 8], [2, 2, 3, 3], { strides: [2, 3] }),
    conv([1, 2, 6, 6], [2, 2, 3, 3], { strides: [2, 2], pads: [1, 1, 0, 0] }),
    // one-dimensional
    conv([2, 3, 1, 9], [4, 3, 1, 3], { pads: [0, 1, 0, 1] }),
    conv([2, 4, 1, 10], [4, 1, 1, 5], { group: 4, strides: [1, 2], pads: [0, 2, 0, 2] }),
    conv([1, 2, 1, 11], [2, 2, 1, 3], { dilations: [1, 3], pads: [0, 3, 0, 0] }),
    // single elements, and a kernel as large as the image
    conv([1, 1, 1, 1], [1, 1, 1, 1]),
    conv([2, 2, 3, 4], [3, 2, 3, 4]),
    conv([1, 2, 2, 3], [2, 2, 1, 1], { pads: [1, 0, 1, 2] }),
  ],
  ConvTranspose: [
    convTranspose([2, 3, 3, 4], [3, 2, 3, 3]),
    convTranspose([1, 2, 3, 3], [2, 3, 2, 2], { strides: [2, 2] }),
    convTranspose([1, 2, 3, 2], [2, 2, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1], outputPadding: [1, 1] }),
    convTranspose([1, 2, 3, 2], [2, 2, 3, 2], { strides: [3, 2], pads: [1, 0, 0, 1], outputPadding: [2, 1] }),
    convTranspose([1, 2, 3, 3], [2, 2, 2, 2], { strides: [3, 3], outputPadding: [2, 1] }),
    convTranspose([1, 4, 3, 3], [4, 3, 3, 3], { group: 2, strides: [2, 1], pads: [0, 1, 1, 2] }),
    convTranspose([1, 3, 4, 3], [3, 1, 3, 3], { group: 3, strides: [2, 2], pads: [1, 1, 1, 1], outputPadding: [1, 0] }),
    convTranspose([1, 2, 3, 3], [2, 2, 3, 2], { dilations: [2, 3], pads: [1, 1, 2, 0] }),
    convTranspose([1, 2, 3, 3], [2, 2, 2, 2], { dilations: [2, 2], strides: [2, 2], outputPadding: [1, 1] }),
    convTranspose([2, 2, 1, 4], [2, 3, 1, 4], { strides: [1, 2], pads: [0, 1, 0, 1] }),
    convTranspose([1, 1, 1, 1], [1, 1, 1, 1]),
  ],
} as const satisfies GradientCases
