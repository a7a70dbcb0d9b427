import { describe, expect, test } from "vitest"
import * as op from "../graph/build.ts"
import { encodeModel } from "../graph/codec.ts"
import { Graph, type Value } from "../graph/graph.ts"
import { floatTensor, sizeOf } from "../graph/tensor.ts"
import { lower } from "../lowering/lower.ts"
import { fixedPlan } from "../lowering/plan.ts"
import { createRng } from "../random/rng.ts"
import { createSession } from "../runtime/ort.ts"
import { checkGradients } from "../testing/finite-differences.ts"
import { activationCases } from "./cases/activation.test-suite.ts"
import { type GradientCases, inOrder } from "./cases/draws.test-suite.ts"
import { elementwiseCases } from "./cases/elementwise.test-suite.ts"
import { indexingCases } from "./cases/indexing.test-suite.ts"
import { movementCases } from "./cases/movement.test-suite.ts"
import { normalizationCases } from "./cases/normalization.test-suite.ts"
import { poolingCases } from "./cases/pooling.test-suite.ts"
import { productCases } from "./cases/product.test-suite.ts"
import { reductionCases } from "./cases/reduction.test-suite.ts"
import { gradients } from "./gradients.ts"
import { gradientRules } from "./rules/index.ts"

const rng = createRng("gradients")

/** At least one case for every op that has a gradient; the completeness test below holds the table to that. */
const cases: GradientCases = {
  ...elementwiseCases,
  ...activationCases,
  ...reductionCases,
  ...productCases,
  ...movementCases,
  ...indexingCases,
  ...poolingCases,
  ...normalizationCases,
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
    const [x, w] = [graph.input("x", "float32", [1, 1, 3, 3]), graph.input("w", "float32", [1, 1, 2, 2])]
    const [dw] = gradients(graph, op.reduceSum(op.conv(x, w)), [w])
    expect(() => gradients(graph, op.reduceSum(dw as Value), [x])).toThrow(/ConvWeightGradient/)
  })

  test.each([
    { windows: "that overlap", shape: [2, 2, 5, 5], kernel: 3, strides: 2, padding: 1 },
    { windows: "side by side", shape: [2, 3, 4, 6], kernel: 2, strides: 2, padding: 0 },
    { windows: "that leave a row and a column", shape: [2, 2, 5, 7], kernel: 2, strides: 2, padding: 0 },
  ])("of equal elements in windows $windows, the first takes the gradient", async (each) => {
    const { shape, kernel, strides, padding } = each
    const graph = new Graph()
    const x = graph.input("x", "float32", shape)
    const [y, indices] = op.maxPool(x, {
      kernel: [kernel, kernel],
      strides: [strides, strides],
      pads: [padding, padding, padding, padding],
      dilations: [1, 1],
      ceil: false,
    })
    const weight = floatTensor(
      y.shape,
      Float32Array.from({ length: sizeOf(y.shape) }, (_, index) => 1 + index / 3),
    )
    const [dx] = gradients(graph, op.reduceSum(op.mul(y, graph.constant(weight))), [x])
    const { graph: lowered, outputs } = lower(graph, { dx: dx as Value, indices }, fixedPlan)
    const session = await createSession(encodeModel(lowered, outputs), { threads: 2 })
    const ties = Float32Array.from({ length: sizeOf(shape) }, () => rng.integer(3) - 1)
    const outcome = await session.run({ x: floatTensor(shape, ties) })
    await session.release()
    const expected = new Float32Array(ties.length)
    for (const [window, position] of Array.from(outcome.indices!.data, Number).entries())
      expected[position]! += weight.data[window] as number
    expect(outcome.dx?.data).toEqual(expected)
  })

  test("no gradient passes a bound that is reached", async () => {
    const { analytic } = await checkGradients(
      { inputs: [{ shape: [4], ...inOrder(0, 6, 1e-30, 3) }], build: (x) => op.clip(x, 0, 6) },
      rng.child("bounds"),
    )
    expect(analytic[0]?.map(Math.sign).map(Math.abs)).toEqual(Float32Array.of(0, 0, 1, 1))
  })

  test("a gradient ends at steps, positions and conditions without an error", () => {
    const graph = new Graph()
    const x = graph.input("x", "float32", [2, 3])
    const rounded = op.add(op.floor(x), op.add(op.ceil(x), op.round(x)))
    const picked = op.gather(rounded, op.argMax(x, 1, false), 1)
    const chosen = op.where(op.xor(op.greater(x, 0), op.and(op.less(x, 1), op.or(op.less(x, 2), op.equal(x, 3)))), x, 1)
    const [dx] = gradients(graph, op.add(op.reduceSum(picked), op.reduceSum(chosen)), [x])
    expect(dx?.shape).toEqual([2, 3])
  })

  test("a loss of several numbers is refused", () => {
    const graph = new Graph()
    const x = graph.input("x", "float32", [4])
    expect(() => gradients(graph, op.exp(x), [x])).toThrow(/one number/)
  })
})
