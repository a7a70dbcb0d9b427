import * as op from "../../graph/build.ts"
import { floatTensor } from "../../graph/tensor.ts"
import type { GradientCase } from "../../testing/finite-differences.ts"
import { awayFromZero, broadcasts, distinct, type GradientCases, inOrder, positive } from "./draws.test-suite.ts"

const powerOf = (exponent: number, draw: object): GradientCase => ({
  inputs: [{ shape: [5], ...draw }],
  build: (a) => op.pow(a, exponent),
})

const extremum = (build: typeof op.max): GradientCase[] => [
  {
    inputs: [
      { shape: [2, 3], ...distinct() },
      { shape: [3], draw: () => 1.57 },
    ],
    build,
  },
  {
    inputs: [
      { shape: [], draw: () => 1.57 },
      { shape: [2, 1, 3], ...distinct() },
    ],
    build,
  },
  {
    inputs: [
      { shape: [1], draw: () => 2 },
      { shape: [1], draw: () => 1 },
    ],
    build,
  },
  { inputs: [{ shape: [0, 2] }, { shape: [2] }], build },
]

export const elementwiseCases = {
  Add: broadcasts(op.add),
  Sub: broadcasts(op.sub),
  Mul: broadcasts(op.mul),
  Div: broadcasts(op.div, awayFromZero),
  Pow: [
    ...broadcasts(op.pow, {}, positive),
    ...[3, 2, 1, 0].map((exponent) => powerOf(exponent, inOrder(-1.5, 0, 2, 0.5, -0.3))),
    ...[0.5, -1, -2.5].map((exponent) => powerOf(exponent, positive)),
    {
      inputs: [{ shape: [6], ...inOrder(0, -2, 0, 3, -1.5, 0) }],
      build: (a) => op.pow(a, a.graph.constant(floatTensor([6], Float32Array.of(1, 3, 2, 0, -1, 0)))),
    },
    { inputs: [{ shape: [2] }], build: (b) => op.pow(2, b) },
  ],
  Max: extremum(op.max),
  Min: extremum(op.min),
  Neg: [{ inputs: [{ shape: [3] }], build: op.neg }],
  Abs: [{ inputs: [{ shape: [5], ...awayFromZero }], build: op.abs }],
  Exp: [{ inputs: [{ shape: [5] }], build: op.exp }],
  Log: [{ inputs: [{ shape: [5], ...positive }], build: op.log }],
  Sqrt: [{ inputs: [{ shape: [5], ...positive }], build: op.sqrt }],
  Reciprocal: [{ inputs: [{ shape: [5], ...positive }], build: op.reciprocal }],
  Sin: [{ inputs: [{ shape: [2, 4] }], build: op.sin }],
  Cos: [
    { inputs: [{ shape: [2, 4] }], build: op.cos },
    { inputs: [{ shape: [] }], build: op.cos },
  ],
  Identity: [{ inputs: [{ shape: [3] }], build: op.identity }],
  Where: [
    {
      inputs: [{ shape: [2, 3] }, { shape: [3] }],
      build: (a, b) => op.where(op.greater(op.stopGradient(a), 0), op.mul(a, b), b),
    },
    {
      inputs: [{ shape: [] }, { shape: [4] }],
      build: (a, b) => {
        const chooser = a.graph.constant(floatTensor([2, 1], Float32Array.of(-1, 1)))
        return op.where(op.less(chooser, 0), a, b)
      },
    },
    {
      inputs: [{ shape: [] }, { shape: [1] }],
      build: (a, b) => op.where(op.not(op.greater(op.stopGradient(a), 100)), a, b),
    },
  ],
} as const satisfies GradientCases
