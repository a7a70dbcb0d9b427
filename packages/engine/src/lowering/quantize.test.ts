import { describe, expect, test } from "vitest"
import { add, clip, conv, gemm, matMul, maxPool, relu, reshape, transpose } from "../graph/build.ts"
import { encodeModel, type NamedOutputs } from "../graph/codec.ts"
import { relativeDifference } from "../graph/compare.ts"
import { Graph, nodesNeededFor, type Value } from "../graph/graph.ts"
import { filledTensor, floatTensor, type Shape, sizeOf, type Tensor } from "../graph/tensor.ts"
import { createRng } from "../random/rng.ts"
import { createSession } from "../runtime/ort.ts"
import { probeWeightLimit } from "../runtime/weight-limit.ts"
import type { LoweredGraph } from "./lower.ts"
import { buildRangeGraph, quantize, rangesFrom } from "./quantize.ts"

const rng = createRng("quantize")

function draw(shape: Shape, name: string): Tensor {
  const stream = rng.child(name)
  return floatTensor(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => stream.normal()),
  )
}

/** Weights of a size that keeps the spread of what passes through. */
function weight(graph: Graph, shape: Shape, name = `weight ${shape}`): Value {
  const { data } = draw(shape, name)
  const spread = Math.sqrt(sizeOf(shape.slice(1)))
  return graph.constant(
    floatTensor(
      shape,
      (data as Float32Array).map((value) => value / spread),
    ),
    name,
  )
}

function norm(x: Value, name: string): Value {
  const numbers = (part: string, make: (normal: number) => number) => {
    const { data } = draw([x.shape[1] as number], `${name} ${part}`)
    return x.graph.constant(floatTensor([data.length], (data as Float32Array).map(make)), `${name} ${part}`)
  }
  const one = (z: number) => 1 + 0.1 * z
  const parts = [numbers("scale", one), numbers("shift", Number), numbers("mean", Number), numbers("variance", one)]
  return x.graph.add("BatchNormalization", [x, ...parts], { epsilon: 1e-5, training: false })[0] as Value
}

async function run(
  { graph, outputs }: { graph: Graph; outputs: NamedOutputs },
  feeds: Readonly<Record<string, Tensor>>,
  threads = 1,
) {
  const session = await createSession(encodeModel(graph, outputs), { threads })
  const results = await session.run(feeds)
  await session.release()
  return results
}

async function quantized(graph: Graph, outputs: NamedOutputs, x: Tensor) {
  const { graph: measuring, ranges, names } = buildRangeGraph(graph, outputs)
  const measured = await run({ graph: measuring, outputs: { ranges } }, { x })
  const found = rangesFrom(names, measured.ranges!.data as Float32Array)
  return { ...quantize(graph, outputs, found, await probeWeightLimit()), ranges: found }
}

const opsOf = ({ graph, outputs }: LoweredGraph) => nodesNeededFor(graph, Object.values(outputs)).map(({ op }) => op)

/** A residual network of every kind of chain. */
function network(x: Value): NamedOutputs {
  const { graph } = x
  const pads = [1, 1, 1, 1] as const
  const first = relu(norm(conv(x, weight(graph, [16, 3, 3, 3]), { pads }), "n1"))
  const inner = clip(norm(conv(first, weight(graph, [16, 16, 3, 3], "a"), { pads }), "n2"), 0, 1.5)
  const last = norm(conv(inner, weight(graph, [16, 16, 3, 3], "b"), { pads }), "n3")
  const block = relu(add(last, first))
  const [pooled] = maxPool(block, {
    kernel: [2, 2],
    strides: [2, 2],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
    ceil: false,
  })
  const strided = conv(pooled, weight(graph, [32, 8, 3, 3], "c"), { pads, strides: [2, 2], group: 2 })
  const map = add(strided, reshape(graph.constant(draw([32], "bias")), [1, 32, 1, 1]))
  const flat = reshape(map, [x.shape[0] as number, 32 * 4 * 4])
  const hidden = relu(gemm(flat, weight(graph, [256, 512], "d"), { transB: true }))
  return { map, hidden, logits: gemm(hidden, weight(graph, [10, 256], "e"), { transB: true }) }
}

describe("quantising", () => {
  test("keeps what a network computes to within a few steps of 256", async () => {
    const graph = new Graph()
    const x = draw([4, 3, 16, 16], "images")
    const outputs = network(graph.input("x", "float32", x.shape))
    const eight = await quantized(graph, outputs, x)
    expect(eight).toMatchObject({ quantizedProducts: 4, floatProducts: 2 })
    expect(opsOf(eight).filter((op) => op === "QLinearConv")).toHaveLength(3)
    expect(opsOf(eight)).not.toContain("BatchNormalization")
    const [expected, actual] = [await run({ graph, outputs }, { x }), await run(eight, { x })]
    for (const key of Object.keys(outputs)) {
      const difference = relativeDifference(actual[key]!.data as Float32Array, expected[key]!.data as Float32Array)
      expect(difference, key).toBeLessThan(0.04)
      expect(difference, key).toBeGreaterThan(0)
    }
  })

  test("stays on eight bits from one convolution to the next", async () => {
    const graph = new Graph()
    const x = draw([2, 3, 16, 16], "images")
    const outputs = { map: network(graph.input("x", "float32", x.shape)).map as Value }
    const ops = opsOf(await quantized(graph, outputs, x))
    expect(ops).toEqual([
      ...["Conv", "Add", "Relu", "QuantizeLinear", "QLinearConv", "QLinearConv", "QLinearAdd"],
      ...["MaxPool", "QLinearConv", "DequantizeLinear"],
    ])
  })

  test("gives the same bits with any number of threads, and again", async () => {
    const graph = new Graph()
    const x = draw([5, 3, 16, 16], "images")
    const outputs = { map: network(graph.input("x", "float32", x.shape)).map as Value }
    const [one, other] = [await quantized(graph, outputs, x), await quantized(graph, outputs, x)]
    const maps = [await run(one, { x }), await run(one, { x }, 3), await run(other, { x })].map(({ map }) => map!.data)
    expect(maps[1]).toEqual(maps[0])
    expect(maps[2]).toEqual(maps[0])
  })

  test("a convolution on eight bits is the rounded sum of its definition", async () => {
    const graph = new Graph()
    const [from, to] = [
      { scale: 0.02, zeroPoint: 100 },
      { scale: 0.25, zeroPoint: 130 },
    ]
    const x = filledTensor("uint8", [1, 16, 1, 1], (at) => 40 + 7 * at)
    const w = filledTensor("int8", [8, 16, 1, 1], (at) => ((at * 37) % 127) - 63)
    const scales = Float32Array.from({ length: 8 }, (_, channel) => 0.01 + 0.002 * channel)
    const bias = filledTensor("int32", [8], (at) => 500 * at - 1000)
    const constants = [w, floatTensor([8], scales), bias].map((tensor) => graph.constant(tensor))
    const attributes = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: 1 } as const
    const y = graph.add("QLinearConv", [graph.input("x", "uint8", x.shape), ...constants], { ...attributes, from, to })
    const { y: result } = await run({ graph, outputs: { y: y[0] as Value } }, { x })
    const expected = Array.from({ length: 8 }, (_, channel) => {
      let sum = Number(bias.data[channel])
      for (let at = 0; at < 16; at++) sum += (Number(x.data[at]) - 100) * Number(w.data[channel * 16 + at])
      const exact = (sum * from.scale * scales[channel]!) / to.scale + to.zeroPoint
      return Math.min(255, Math.max(0, Math.round(exact)))
    })
    expect(Array.from(result!.data as Uint8Array)).toEqual(expected)
  })

  test("a large product with a known matrix is computed on eight bits, in batches too", async () => {
    const graph = new Graph()
    const x = draw([2, 5, 256], "tokens")
    const y = matMul(graph.input("x", "float32", x.shape), weight(graph, [256, 320], "m"))
    const eight = await quantized(graph, { y }, x)
    expect(opsOf(eight)).toEqual(["QuantizeLinear", "MatMulIntegerToFloat"])
    const [expected, actual] = [await run({ graph, outputs: { y } }, { x }), await run(eight, { x })]
    expect(relativeDifference(actual.y!.data as Float32Array, expected.y!.data as Float32Array)).toBeLessThan(0.02)
  })

  test("values that do not begin with the batch are measured over all samples", async () => {
    const graph = new Graph()
    const x = draw([2, 5, 256], "tokens")
    const turned = transpose(graph.input("x", "float32", x.shape), [1, 0, 2])
    const eight = await quantized(graph, { y: matMul(turned, weight(graph, [256, 320], "m")) }, x)
    const numbers = Array.from(x.data as Float32Array)
    expect([...eight.ranges.values()]).toEqual([{ low: Math.min(...numbers), high: Math.max(...numbers) }])
  })

  test("channels of zeros and biases far beyond their weights do no harm", async () => {
    const graph = new Graph()
    const x = draw([2, 8, 5, 5], "few")
    const w = draw([8, 8, 1, 1], "tiny")
    for (let at = 0; at < 16; at++) w.data[at] = at < 8 ? 0 : 1e-12
    const y = add(
      conv(graph.input("x", "float32", x.shape), graph.constant(w)),
      graph.constant(floatTensor([1, 8, 1, 1], new Float32Array(8).fill(3))),
    )
    const eight = await quantized(graph, { y }, x)
    const [expected, actual] = [await run({ graph, outputs: { y } }, { x }), await run(eight, { x })]
    expect(relativeDifference(actual.y!.data as Float32Array, expected.y!.data as Float32Array)).toBeLessThan(0.02)
  })

  test("this processor multiplies bytes rightly up to the limit that it was asked for", async () => {
    expect([64, 127]).toContain(await probeWeightLimit())
  })
})
