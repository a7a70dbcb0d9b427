import * as op from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import type { GradientCase } from "../../testing/finite-differences.ts"
import { awayFromZero, type GradientCases, inOrder, oneOf } from "./draws.test-suite.ts"

const smooth = (build: (x: Value) => Value): GradientCase[] => [
  { inputs: [{ shape: [3, 3], draw: (rng) => 2 * rng.normal() }], build },
  { inputs: [{ shape: [] }], build },
]

const between = (low: number, high: number, ...values: number[]): GradientCase => ({
  inputs: [{ shape: [values.length], ...inOrder(...values) }],
  build: (x) => op.clip(x, low, high),
})

export const activationCases = {
  Relu: [{ inputs: [{ shape: [7], ...awayFromZero }], build: op.relu }],
  Gelu: smooth(op.gelu),
  LeakyRelu: [0.01, 0.3, 0, 1, 1.5, -0.2].map((alpha) => ({
    inputs: [{ shape: [8], ...inOrder(-2, 0.3, -0.1, 1, 4, -0.6, 0.2, -5) }],
    build: (x: Value) => op.leakyRelu(x, alpha),
  })),
  Elu: [1, 0.5, 1.67, -0.4].map((alpha) => ({
    inputs: [{ shape: [8], ...inOrder(-2, 0.3, -0.1, 1, 4, -0.6, 0.2, -5) }],
    build: (x: Value) => op.elu(x, alpha),
  })),
  Clip: [
    between(0, 6, -3, 0.1, 2, 5.9, 6.1, 9, -0.1),
    between(-1, 0.5, -3, -1.1, -0.9, 0, 0.4, 0.6, 9),
    between(Number.NEGATIVE_INFINITY, 2, -300, -1, 0, 1.9, 2.1, 9),
    between(1e-3, Number.POSITIVE_INFINITY, -1, 0.1, 0.5, 300),
    between(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, -100, 0, 100),
    between(-1000, 1000, -2000, -999, 1, 999, 1001),
  ],
  HardSigmoid: [{ inputs: [{ shape: [9], ...oneOf(-2, -0.4, 0.3, 2) }], build: (x) => op.hardSigmoid(x, 0.6, 0.4) }],
  Sigmoid: smooth(op.sigmoid),
  Tanh: smooth(op.tanh),
  Erf: smooth(op.erf),
  Softplus: smooth(op.softplus),
} as const satisfies GradientCases
