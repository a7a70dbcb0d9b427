import { describe, expect, test } from "vitest"
import { gradients } from "../autodiff/gradients.ts"
import * as op from "../graph/build.ts"
import { encodeModel, type NamedOutputs } from "../graph/codec.ts"
import { Graph, nodesNeededFor, type Value } from "../graph/graph.ts"
import { floatTensor, type Shape, sizeOf, type Tensor } from "../graph/tensor.ts"
import { createRng } from "../random/rng.ts"
import { createSession } from "../runtime/ort.ts"
import { simplify } from "./simplify.ts"

const rng = createRng("simplify")

async function run(graph: Graph, outputs: NamedOutputs, feeds: Readonly<Record<string, Tensor>>) {
  const session = await createSession(encodeModel(graph, outputs), { threads: 1, optimize: false })
  const outcome = await session.run(feeds)
  await session.release()
  return Object.fromEntries(
    Object.entries(outcome).map(([name, { shape, data }]) => [
      name,
      { shape, bits: new Uint32Array((data as Float32Array).slice().buffer) },
    ]),
  )
}

/** The ops that are left, after making sure that every output keeps its bits. */
async function simplified(inputs: readonly Shape[], build: (...inputs: Value[]) => Value | readonly Value[]) {
  const graph = new Graph()
  const values = inputs.map((shape, index) => graph.input(`x${index}`, "float32", shape))
  const built = build(...values)
  const outputs = Object.fromEntries([built].flat().map((value, index) => [`y${index}`, value as Value]))
  const feeds = Object.fromEntries(
    inputs.map((shape, index) => {
      const numbers = Float32Array.from({ length: sizeOf(shape) }, () => rng.normal())
      // zeros of both signs, and what is no number
      if (numbers.length > 4) numbers.set([0, -0, Number.NaN, Number.POSITIVE_INFINITY])
      return [`x${index}`, floatTensor(shape, numbers)]
    }),
  )
  const result = simplify(graph, outputs)
  expect(await run(result.graph, result.outputs, feeds)).toEqual(await run(graph, outputs, feeds))
  return nodesNeededFor(result.graph, Object.values(result.outputs)).map((node) => node.op)
}

const sliced = (x: Value, axes: number[], starts: number[], ends: number[], steps: number[]) =>
  x.graph.add("Slice", [x], { starts, ends, axes, steps })[0] as Value
const numbers = (graph: Graph, shape: Shape, ...values: number[]) =>
  graph.constant(floatTensor(shape, Float32Array.from(values)))

const cases: readonly [name: string, inputs: Shape[], build: (...x: Value[]) => Value | Value[], left: string[]][] = [
  ["a reshape of a reshape", [[2, 6]], (x) => op.reshape(op.reshape(x, [3, 4]), [12]), ["Reshape"]],
  ["reshapes there and back", [[2, 6]], (x) => op.neg(op.reshape(op.reshape(x, [3, 4]), [2, 6])), ["Neg"]],
  [
    "transposes there and back",
    [[2, 3, 4]],
    (x) => op.neg(op.transpose(op.transpose(x, [2, 0, 1]), [1, 2, 0])),
    ["Neg"],
  ],
  [
    "a transpose of a transpose",
    [[2, 3, 4]],
    (x) => op.transpose(op.transpose(x, [1, 0, 2]), [0, 2, 1]),
    ["Transpose"],
  ],
  ["a transpose of axes of one", [[1, 3, 1, 4]], (x) => op.transpose(x, [1, 0, 3, 2]), ["Reshape"]],
  ["slices along two axes", [[6, 7]], (x) => op.slice(op.slice(x, 0, 1, 5), 1, 2, 6), ["Slice"]],
  ["slices along one axis, backwards", [[9]], (x) => op.slice(op.slice(x, 0, -1, -(2 ** 31), -2), 0, 1, 4), ["Slice"]],
  [
    "a slice back to the first position",
    [[9]],
    (x) => op.slice(op.slice(x, 0, 0, 5), 0, -1, -(2 ** 31), -1),
    ["Slice"],
  ],
  [
    "strided slices",
    [[9, 8]],
    (x) => sliced(sliced(x, [0, 1], [1, 0], [9, 8], [2, 3]), [0, 1], [1, 1], [4, 3], [2, 1]),
    ["Slice"],
  ],
  ["a slice of everything", [[4, 5]], (x) => op.neg(op.slice(x, 1, 0, 9)), ["Neg"]],
  [
    "a slice of one joined part",
    [
      [2, 3],
      [2, 4],
    ],
    (a, b) => op.neg(op.slice(op.concat([a, b], 1), 1, 3, 7)),
    ["Neg"],
  ],
  [
    "a slice in one joined part",
    [
      [2, 3],
      [2, 4],
    ],
    (a, b) => op.slice(op.concat([a, b], 1), 1, 4, 6),
    ["Slice"],
  ],
  [
    "a slice over two joined parts",
    [
      [2, 3],
      [2, 4],
    ],
    (a, b) => op.slice(op.concat([a, b], 1), 1, 2, 6),
    ["Concat", "Slice"],
  ],
  ["joined joined tensors", [[2], [3], [4]], (a, b, c) => op.concat([op.concat([a, b], 0), c], 0), ["Concat"]],
  ["padding twice", [[2, 3]], (x) => op.pad(op.pad(x, [0, 1, 0, 2]), [1, 0, 0, 1]), ["Pad"]],
  ["cutting by padding", [[2, 5]], (x) => op.pad(op.pad(x, [0, 1, 0, 2]), [0, -2, 0, -1]), ["Pad", "Pad"]],
  ["expanding twice", [[3, 1]], (x) => op.expand(op.expand(x, [3, 4]), [2, 3, 4]), ["Expand"]],
  [
    "an operand expanded to the other's shape",
    [
      [2, 3, 1],
      [2, 3, 4],
    ],
    (a, b) => [op.mul(op.expand(a, b.shape), b), op.sub(b, op.expand(a, b.shape))],
    ["Mul", "Sub"],
  ],
  [
    "an operand expanded over part of the result",
    [
      [3, 1],
      [2, 3, 4],
    ],
    (a, b) => op.mul(op.expand(a, [3, 4]), b),
    ["Expand", "Mul"],
  ],
  ["multiplication and division by one", [[2, 3]], (x) => op.neg(op.div(op.mul(1, op.mul(x, 1)), 1)), ["Neg"]],
  ["ones that broadcast", [[1, 3]], (x) => op.mul(x, numbers(x.graph, [2, 1], 1, 1)), ["Mul"]],
  ["subtraction of zero", [[2, 3]], (x) => op.neg(op.sub(x, 0)), ["Neg"]],
  ["addition of zero, which makes -0 a 0", [[6]], (x) => op.add(x, 0), ["Add"]],
  [
    "signs",
    [
      [2, 3],
      [2, 3],
    ],
    (a, b) => [op.add(op.neg(a), b), op.sub(a, op.neg(b)), op.neg(op.neg(op.exp(a)))],
    ["Sub", "Add", "Exp"],
  ],
  [
    "numbers known beforehand",
    [[2, 2]],
    (x) => op.mul(x, op.div(op.sub(numbers(x.graph, [2, 1], 0.1, 3), op.sqrt(numbers(x.graph, [1, 2], 2, 5))), 7)),
    ["Mul"],
  ],
  [
    "a constant expanded to a shape that may follow the batch",
    [[2, 2]],
    (x) => op.concat([x, op.expand(numbers(x.graph, [1, 2], 0.1, 3), [2, 2])], 0),
    ["Expand", "Concat"],
  ],
  ["a constant without numbers", [[0, 2]], (x) => op.mul(x, numbers(x.graph, [0, 2])), ["Mul"]],
  ["identities", [[2]], (x) => op.identity(op.identity(x)), []],
]

describe("simplifying", () => {
  test.each(cases)("%s keeps every bit", async (_, inputs, build, left) => {
    expect(await simplified(inputs, build)).toEqual(left)
  })

  test("a network's gradients keep every bit in fewer nodes", async () => {
    const graph = new Graph()
    const x = graph.input("x", "float32", [4, 6, 1, 5])
    const w = graph.input("w", "float32", [6, 8])
    const hidden = op.relu(op.matMul(op.reshape(op.transpose(x, [0, 2, 3, 1]), [20, 6]), w))
    const mixed = op.transpose(op.reshape(hidden, [4, 5, 8]), [0, 2, 1])
    const pooled = op.reduceMean(op.concat([mixed, op.mul(op.slice(mixed, 1, 2, 6), 1)], 1), [2])
    const [dx, dw] = gradients(graph, op.reduceSum(op.mul(pooled, pooled)), [x, w]) as [Value, Value]
    const result = simplify(graph, { dx, dw })
    const feeds = Object.fromEntries(
      [x, w].map(({ name, shape }) => [
        name,
        floatTensor(
          shape,
          Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()),
        ),
      ]),
    )
    expect(await run(result.graph, result.outputs, feeds)).toEqual(await run(graph, { dx, dw }, feeds))
    const count = (of: Graph, outputs: NamedOutputs) => nodesNeededFor(of, Object.values(outputs)).length
    expect(count(result.graph, result.outputs)).toBeLessThan(count(graph, { dx, dw }) - 2)
  })
})
