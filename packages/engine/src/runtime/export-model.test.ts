import { expect, test } from "vitest"
import { mul, reduceSum } from "../graph/build.ts"
import { Graph } from "../graph/graph.ts"
import { floatTensor } from "../graph/tensor.ts"
import { decodeOnnxModel } from "../onnx/read-model.ts"
import { compileModel } from "./evaluation.ts"
import { exportModel } from "./export-model.ts"

/** Gives where the doubled numbers of a batch are above zero, as many as there are, and their sums. */
const model = exportModel((batch) => {
  const graph = new Graph()
  const doubled = mul(graph.input("x", "float32", [batch, 3]), 2)
  return {
    graph,
    outputs: { doubled, sums: reduceSum(doubled, [1]) },
    tail: {
      nodes: [
        { op: "Greater", inputs: ["doubled", "limit"], outputs: ["is above"] },
        { op: "NonZero", inputs: ["is above"], outputs: ["axes"] },
        { op: "Transpose", inputs: ["axes"], outputs: ["places"] },
        { op: "GatherND", inputs: ["doubled", "places"], outputs: ["found"] },
      ],
      constants: { limit: floatTensor([], Float32Array.of(0)) },
      outputs: {
        places: { dtype: "int64", shape: ["found", 2] },
        found: { dtype: "float32", shape: ["found"] },
      },
    },
  }
})

test("a tail gives the first outputs of a file, of lengths that depend on the data", async () => {
  expect(decodeOnnxModel(model, "exported").outputs).toMatchObject([
    { name: "places", shape: ["found", 2] },
    { name: "found", shape: ["found"] },
    { name: "sums", shape: ["batch"] },
  ])
  const session = await compileModel(model, { threads: 1 })
  const few = await session.run({ x: floatTensor([2, 3], Float32Array.of(-1, 2, -3, 4, 5, -6)) })
  expect([...few.found!.data]).toEqual([4, 8, 10])
  expect([...few.places!.data].map(Number)).toEqual([0, 1, 1, 0, 1, 1])
  expect([...few.sums!.data]).toEqual([-4, 6])
  const none = await session.run({ x: floatTensor([1, 3], Float32Array.of(-1, 0, -3)) })
  expect(none.found!.shape).toEqual([0])
  expect(none.places!.shape).toEqual([0, 2])
  await session.release()
})
