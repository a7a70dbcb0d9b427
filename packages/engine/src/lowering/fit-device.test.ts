import { describe, expect, test } from "vitest"
import { add, fusedMatMul, gelu, logSoftmax, maxPool, mul, split } from "../graph/build.ts"
import { encodeModel } from "../graph/codec.ts"
import { relativeDifference } from "../graph/compare.ts"
import { Graph, type Value } from "../graph/graph.ts"
import { floatTensor, type Shape, sizeOf, type Tensor } from "../graph/tensor.ts"
import { createRng } from "../random/rng.ts"
import { createSession } from "../runtime/ort.ts"
import type { Device } from "./device.ts"
import { refusedByWebGpu } from "./fit-device.ts"
import { lower } from "./lower.ts"
import { fixedPlan } from "./plan.ts"

const rng = createRng("fit device")

function draw(shape: Shape, name: string, { mean = 0, std = 1 } = {}): Tensor {
  const stream = rng.child(name)
  return floatTensor(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => mean + std * stream.normal()),
  )
}

/** Runs on the processor what was lowered for a device: other devices get no ops that the processor lacks. */
async function run(graph: Graph, outputs: Record<string, Value>, feeds: Record<string, Tensor>, device: Device) {
  const lowered = lower(graph, outputs, fixedPlan, [], device)
  const session = await createSession(encodeModel(lowered.graph, lowered.outputs), { threads: 1 })
  const results = await session.run(feeds)
  await session.release()
  return { results, ops: lowered.graph.nodes.map(({ op }) => op) }
}

async function expectSame(graph: Graph, y: Value, feeds: Record<string, Tensor>, without: string) {
  const own = await run(graph, { y }, feeds, "cpu")
  const other = await run(graph, { y }, feeds, "webgpu")
  expect(own.ops).toContain(without)
  expect(other.ops).not.toContain(without)
  expect(other.results.y?.shape).toEqual(own.results.y?.shape)
  expect(relativeDifference(other.results.y?.data as Float32Array, own.results.y?.data as Float32Array)).toBeLessThan(
    1e-6,
  )
}

describe("a graph that is lowered for another device", () => {
  test("has no ops that only the processor knows", async () => {
    const graph = new Graph()
    const [a, b] = [graph.input("a", "float32", [2, 3, 4]), graph.input("b", "float32", [2, 3, 5])]
    const outputs = { y: gelu(fusedMatMul(a, b, { transA: true, alpha: 0.3 })) }
    const feeds = { a: draw([2, 3, 4], "a"), b: draw([2, 3, 5], "b") }
    const [onProcessor, elsewhere] = [
      await run(graph, outputs, feeds, "cpu"),
      await run(graph, outputs, feeds, "webgpu"),
    ]
    expect(onProcessor.ops).toEqual(["FusedMatMul", "Gelu"])
    expect(elsewhere.ops).not.toContain("FusedMatMul")
    expect(elsewhere.ops).not.toContain("Gelu")
    expect(
      relativeDifference(elsewhere.results.y?.data as Float32Array, onProcessor.results.y?.data as Float32Array),
    ).toBeLessThan(1e-6)
  })

  test.each([
    ["maps", [4, 3, 5, 6]],
    ["rows", [16, 3]],
  ] as const)(
    "normalises %s by the batch's statistics without the kernel that has no place there",
    async (_, shape) => {
      const graph = new Graph()
      const [x, ...others] = [shape, [3], [3], [3], [3]].map((each, index) => graph.input(`i${index}`, "float32", each))
      const outputs = graph.add("BatchNormalization", [x as Value, ...others], { epsilon: 1e-5, training: true })
      const named = Object.fromEntries(["y", "mean", "variance"].map((name, index) => [name, outputs[index] as Value]))
      const feeds = {
        // A mean of many deviations: one pass over squares would lose its digits.
        i0: draw(shape, "x", { mean: 100, std: 0.5 }),
        i1: draw([3], "scale"),
        i2: draw([3], "bias"),
        i3: draw([3], "mean"),
        i4: draw([3], "variance"),
      }
      const own = await run(graph, named, feeds, "cpu")
      const other = await run(graph, named, feeds, "webgpu")
      expect(own.ops).toContain("BatchNormalization")
      expect(other.ops).not.toContain("BatchNormalization")
      for (const name of Object.keys(named)) {
        const [expected, got] = [own.results[name]?.data, other.results[name]?.data] as [Float32Array, Float32Array]
        expect(got).toHaveLength(expected.length)
        for (const [index, value] of expected.entries()) expect(got[index]).toBeCloseTo(value, 3)
      }
    },
  )

  test("splits into more parts than a program of WebGPU may write", async () => {
    const lengths = Array.from({ length: 60 }, (_, index) => (index % 3) + 1)
    const total = lengths.reduce((sum, length) => sum + length, 0)
    const graph = new Graph()
    const parts = split(graph.input("x", "float32", [total, 2]), 0, lengths)
    // Every part is read on its own, so that none can be left out.
    const named = Object.fromEntries(parts.map((part, index) => [`part ${index}`, add(mul(part, 1), index)]))
    const feeds = { x: draw([total, 2], "whole") }
    const own = await run(graph, named, feeds, "cpu")
    const other = await run(graph, named, feeds, "webgpu")
    expect(other.results).toEqual(own.results)
    const lowered = lower(graph, named, fixedPlan, [], "webgpu").graph
    const splits = lowered.nodes.filter(({ op }) => op === "Split").map(({ outputs }) => outputs.length)
    expect(Math.max(...splits)).toBeLessThanOrEqual(7)
  })

  test.each([0, 1])("takes the logarithm of a softmax over axis %i apart, for large scores too", async (axis) => {
    const graph = new Graph()
    const y = logSoftmax(graph.input("x", "float32", [5, 7]), axis)
    await expectSame(graph, y, { x: draw([5, 7], "scores", { std: 100 }) }, "LogSoftmax")
  })

  test("names the maxima whose positions are read, as its model does", () => {
    const graph = new Graph()
    const window = { kernel: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0], dilations: [1, 1], ceil: false } as const
    const [y] = maxPool(graph.input("x", "float32", [1, 1, 4, 4]), window)
    const [z, positions] = maxPool(y, window)
    expect(refusedByWebGpu(graph, { z })).toEqual([])
    expect(refusedByWebGpu(graph, { z, positions })).toEqual([z.name])
  })

  test("is left as it was for the processor", () => {
    const graph = new Graph()
    const parts = split(graph.input("x", "float32", [20]), 0, new Array(20).fill(1))
    const { graph: lowered } = lower(graph, { y: add(parts[0] as Value, parts[19] as Value) }, fixedPlan)
    expect(lowered.nodes.map(({ op, outputs }) => [op, outputs.length])).toEqual([
      ["Split", 20],
      ["Add", 1],
    ])
  })
})
