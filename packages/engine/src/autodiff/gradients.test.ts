import { describe, expect, test } from "vitest"
import * as op from "../graph/build.ts"
import { Graph, type Value } from "../graph/graph.ts"
import type { OpType } from "../graph/ops.ts"
import { floatTensor } from "../graph/tensor.ts"
import { createRng } from "../random/rng.ts"
import { checkGradients, type GradientCase } from "../testing/finite-differences.ts"
import { gradients } from "./gradients.ts"
import { gradientRules } from "./rules/index.ts"

const rng = createRng("gradients")
const positive = { draw: (stream: ReturnType<typeof createRng>) => 0.5 + 2 * stream.float() }
/** Away from zero, where the op has a kink. */
const awayFromZero = {
  draw: (stream: ReturnType<typeof createRng>) => (stream.float() < 0.5 ? -1 : 1) * (0.2 + stream.float()),
}
const conv = (attributes: Parameters<typeof op.conv>[2]) => (x: Value, w: Value) => op.conv(x, w, attributes)
const normalize =
  (training: boolean) =>
  (x: Value, scale: Value, bias: Value): Value => {
    const statistic = (...values: number[]) =>
      x.graph.constant(floatTensor(scale.shape, Float32Array.from(values.slice(0, scale.shape[0]))))
    const statistics = [statistic(0.3, -0.2, 0.1), statistic(0.7, 1.6, 1.1)]
    return x.graph.add("BatchNormalization", [x, scale, bias, ...statistics], { epsilon: 1e-3, training })[0] as Value
  }
/** Distinct values, so that no step of the differences changes which is largest. */
const distinct = () => {
  let next = 0
  return { draw: () => ((next++ * 7) % 13) / 3 }
}

const broadcasts = (build: (a: Value, b: Value) => Value, second: object = {}): GradientCase[] => [
  { inputs: [{ shape: [2, 3] }, { shape: [2, 3], ...second }], build },
  { inputs: [{ shape: [2, 3] }, { shape: [3], ...second }], build },
  { inputs: [{ shape: [2, 1, 3] }, { shape: [1, 4, 1], ...second }], build },
  { inputs: [{ shape: [] }, { shape: [2, 2], ...second }], build },
]

/** At least one case for every op that has a gradient; the completeness test below holds the table to that. */
const cases: { readonly [K in OpType]?: readonly GradientCase[] } = {
  Add: broadcasts(op.add),
  Sub: broadcasts(op.sub),
  Mul: broadcasts(op.mul),
  Div: broadcasts(op.div, awayFromZero),
  Max: [
    {
      inputs: [
        { shape: [2, 3], ...distinct() },
        { shape: [3], draw: () => 1.5 },
      ],
      build: op.max,
    },
  ],
  Min: [
    {
      inputs: [
        { shape: [2, 3], ...distinct() },
        { shape: [3], draw: () => 1.5 },
      ],
      build: op.min,
    },
  ],
  Neg: [{ inputs: [{ shape: [3] }], build: op.neg }],
  Abs: [{ inputs: [{ shape: [5], ...awayFromZero }], build: op.abs }],
  Exp: [{ inputs: [{ shape: [5] }], build: op.exp }],
  Log: [{ inputs: [{ shape: [5], ...positive }], build: op.log }],
  Sqrt: [{ inputs: [{ shape: [5], ...positive }], build: op.sqrt }],
  Reciprocal: [{ inputs: [{ shape: [5], ...positive }], build: op.reciprocal }],
  Relu: [{ inputs: [{ shape: [7], ...awayFromZero }], build: op.relu }],
  HardSigmoid: [
    {
      inputs: [{ shape: [9], draw: (stream) => [-2, -0.4, 0.3, 2][stream.integer(4)] as number }],
      build: (x) => op.hardSigmoid(x, 0.6, 0.4),
    },
  ],
  Identity: [{ inputs: [{ shape: [3] }], build: op.identity }],
  Where: [
    {
      inputs: [{ shape: [2, 3] }, { shape: [3] }],
      build: (a, b) => op.where(op.greater(op.stopGradient(a), 0), op.mul(a, b), b),
    },
  ],
  ReduceSum: [
    { inputs: [{ shape: [2, 3, 2] }], build: (x) => op.reduceSum(x, [1]) },
    { inputs: [{ shape: [2, 3] }], build: (x) => op.mul(x, op.reduceSum(x, [0, 1], true)) },
  ],
  ReduceMean: [
    { inputs: [{ shape: [2, 3, 2] }], build: (x) => op.reduceMean(x, [0, 2]) },
    { inputs: [{ shape: [4] }], build: (x) => op.reduceMean(x) },
  ],
  ReduceMax: [{ inputs: [{ shape: [3, 4], ...distinct() }], build: (x) => op.reduceMax(x, [1]) }],
  MatMul: [
    { inputs: [{ shape: [2, 3] }, { shape: [3, 4] }], build: op.matMul },
    { inputs: [{ shape: [2, 2, 3] }, { shape: [3, 2] }], build: op.matMul },
    { inputs: [{ shape: [2, 1, 2, 3] }, { shape: [3, 3, 2] }], build: op.matMul },
  ],
  Gemm: [false, true].flatMap((transA) =>
    [false, true].map((transB) => ({
      inputs: [{ shape: transA ? [3, 2] : [2, 3] }, { shape: transB ? [4, 3] : [3, 4] }],
      build: (a: Value, b: Value) => op.gemm(a, b, { transA, transB, alpha: 0.7 }),
    })),
  ),
  Conv: [
    { inputs: [{ shape: [2, 3, 5, 4] }, { shape: [2, 3, 3, 3] }], build: conv({ pads: [1, 1, 1, 1] }) },
    {
      inputs: [{ shape: [2, 2, 6, 5] }, { shape: [3, 2, 3, 3] }],
      build: conv({ pads: [1, 1, 1, 1], strides: [2, 2] }),
    },
    { inputs: [{ shape: [1, 4, 5, 5] }, { shape: [6, 2, 3, 2] }], build: conv({ group: 2, pads: [0, 1, 2, 0] }) },
  ],
  Reshape: [{ inputs: [{ shape: [2, 6] }], build: (x) => op.reshape(x, [3, 4]) }],
  Transpose: [{ inputs: [{ shape: [2, 3, 4] }], build: (x) => op.transpose(x, [2, 0, 1]) }],
  Expand: [{ inputs: [{ shape: [2, 1, 3] }], build: (x) => op.expand(x, [2, 4, 3]) }],
  Concat: [{ inputs: [{ shape: [2, 1] }, { shape: [2, 3] }], build: (a, b) => op.concat([a, b, a], 1) }],
  Split: [
    { inputs: [{ shape: [2, 5] }], build: (x) => op.split(x, 1, [2, 3]) },
    { inputs: [{ shape: [2, 5] }], build: (x) => op.split(x, 1, [2, 3])[1] as Value },
  ],
  Slice: [
    { inputs: [{ shape: [5, 4] }], build: (x) => op.slice(x, 0, 1, 4) },
    { inputs: [{ shape: [7, 2] }], build: (x) => op.slice(x, 0, 1, 7, 2) },
    { inputs: [{ shape: [6] }], build: (x) => op.slice(x, 0, -1, -100, -1) },
    { inputs: [{ shape: [7] }], build: (x) => op.slice(x, 0, 5, 0, -2) },
  ],
  Pad: [{ inputs: [{ shape: [2, 3] }], build: (x) => op.pad(x, [1, 0, 2, 3]) }],
  BatchNormalization: [
    {
      inputs: [{ shape: [3, 2, 2, 3] }, { shape: [2] }, { shape: [2] }],
      build: normalize(true),
    },
    { inputs: [{ shape: [8, 3] }, { shape: [3] }, { shape: [3] }], build: normalize(true) },
    {
      inputs: [{ shape: [3, 2, 2, 3] }, { shape: [2] }, { shape: [2] }],
      build: normalize(false),
    },
  ],
  GlobalAveragePool: [{ inputs: [{ shape: [2, 3, 2, 4] }], build: op.globalAveragePool }],
  Softmax: [
    { inputs: [{ shape: [3, 4] }], build: (x) => op.softmax(x) },
    { inputs: [{ shape: [3, 4] }], build: (x) => op.softmax(x, 0) },
  ],
  LogSoftmax: [{ inputs: [{ shape: [3, 4] }], build: (x) => op.logSoftmax(x) }],
}

/** Differentiable only in how they treat gradients, tested by name below, or only ever made by differentiation. */
const testedOtherwise = ["ScaleGradient"]

describe("gradients", () => {
  for (const [name, list] of Object.entries(cases)) {
    test.each(list.map((each, index) => ({ each, index })))(
      `${name} agrees with finite differences, case $index`,
      async ({ each, index }) => {
        const { differences } = await checkGradients(each, rng.child(`${name} ${index}`))
        for (const difference of differences) expect(difference).toBeLessThan(2e-3)
      },
    )
  }

  test("every op with a gradient rule has a case", () => {
    const differentiable = Object.entries(gradientRules).flatMap(([name, rule]) => (rule === "none" ? [] : [name]))
    expect(Object.keys(cases).concat(testedOtherwise).toSorted()).toEqual(differentiable.toSorted())
  })

  test("a value used twice gets the sum of both gradients", async () => {
    const { differences } = await checkGradients(
      { inputs: [{ shape: [3] }], build: (x) => op.add(op.mul(x, x), op.exp(x)) },
      rng.child("twice"),
    )
    expect(differences[0]).toBeLessThan(2e-3)
  })

  test("no gradient passes a stopped value, and a scaled gradient is scaled", async () => {
    const { analytic } = await checkGradients(
      {
        inputs: [
          { shape: [2], draw: () => 3 },
          { shape: [2], draw: () => 3 },
        ],
        build: (a, b) => [
          op.add(a, op.mul(op.stopGradient(a), 5)),
          op.scaleGradient(b, op.reduceMean(op.mul(op.stopGradient(a), 0))),
        ],
      },
      rng.child("stop"),
    )
    expect(analytic[1]?.every((value) => value === 0)).toBe(true)
    expect(analytic[0]?.every((value) => value !== 0)).toBe(true)
  })

  test("an op without a gradient on the way is refused by name", () => {
    const graph = new Graph()
    const x = graph.input("x", "float32", [4])
    expect(() => gradients(graph, op.reduceSum(op.topK(x, 2).values), [x])).toThrow(/NO_GRADIENT|TopK/)
  })

  test("a loss of several numbers is refused", () => {
    const graph = new Graph()
    const x = graph.input("x", "float32", [4])
    expect(() => gradients(graph, op.exp(x), [x])).toThrow(/one number/)
  })
})
