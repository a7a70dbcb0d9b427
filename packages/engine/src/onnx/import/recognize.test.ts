import { describe, expect, test } from "vitest"
import { encodeModel } from "../../graph/codec.ts"
import { relativeDifference } from "../../graph/compare.ts"
import { Graph, nodesNeededFor, type Value } from "../../graph/graph.ts"
import { floatTensor, type Shape, sizeOf, type Tensor } from "../../graph/tensor.ts"
import { plainOps } from "../../lowering/plain-ops.ts"
import { createNetworkBuilder } from "../../nn/network.ts"
import { createRng } from "../../random/rng.ts"
import { createSession } from "../../runtime/ort.ts"
import { writeOnnxModel } from "../../testing/onnx-writer.ts"
import { Drawing, decoded } from "./drawing.test-suite.ts"
import { importNetwork } from "./network.ts"

const rng = createRng("recognize")
const random = (shape: Shape): Tensor =>
  floatTensor(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()),
  )

const feeds = { x: random([2, 3, 4, 5]), y: random([2, 3, 6, 5]) }

interface Read {
  readonly ops: readonly string[]
  /** Ops once the graph is written for others. */
  readonly plain: readonly string[]
  /** From ONNX Runtime on the file itself. */
  readonly difference: number
  readonly plainDifference: number
}

/** Reads a file whose output was drawn from x [2, 3, 4, 5] and y [2, 3, 6, 5]. */
async function read(draw: (d: Drawing) => string): Promise<Read> {
  const drawing = new Drawing()
  const output = draw(drawing)
  const inputs = Object.entries(feeds).map(([name, { shape }]) => ({ name, shape }))
  const file = drawing.written({ opset: 13, inputs, outputs: [{ name: output, shape: [null, null, null, null] }] })
  const graph = new Graph()
  const given = new Map(inputs.map(({ name, shape }) => [name, graph.input(name, "float32", shape)]))
  const b = createNetworkBuilder(graph, "inputs")
  const value = importNetwork(b, decoded(file), { wanted: [output], given, batch: 2 }).get(output) as Value
  const parameters = Object.fromEntries(
    [...b.values.keys()].map((name) => [name, drawing.initializers[name] as Tensor]),
  )
  const run = async (model: Uint8Array, fed: Record<string, Tensor>, name: string) => {
    const session = await createSession(model, { threads: 1 })
    const result = (await session.run(fed))[name] as Tensor
    await session.release()
    return result.data as Float32Array
  }
  const plain = plainOps(graph, { result: value })
  const expected = await run(writeOnnxModel(file), feeds, output)
  const [ours, written] = [encodeModel(graph, { result: value }), encodeModel(plain.graph, plain.outputs)]
  const opsOf = (of: Graph, result: Value) => nodesNeededFor(of, [result]).map(({ op }) => op)
  return {
    ops: opsOf(graph, value),
    plain: opsOf(plain.graph, plain.outputs.result as Value),
    difference: relativeDifference(await run(ours, { ...feeds, ...parameters }, "result"), expected),
    plainDifference: relativeDifference(await run(written, { ...feeds, ...parameters }, "result"), expected),
  }
}

function bend(d: Drawing, x: string): string {
  return d.node("Add", [d.node("Erf", [d.node("Div", [x, d.scalar(Math.SQRT2)])]), d.scalar(1)])
}

const gelus: Readonly<Record<string, (d: Drawing) => string>> = {
  "x (1 + erf) times one half": (d) => d.node("Mul", [d.node("Mul", ["x", bend(d, "x")]), d.scalar(0.5)]),
  "half of x times (1 + erf)": (d) => d.node("Mul", [d.node("Mul", ["x", d.scalar(0.5)]), bend(d, "x")]),
  "x times half of (1 + erf), of x times the root of one half": (d) => {
    const scaled = d.node("Mul", [d.scalar(Math.SQRT1_2), "x"])
    const share = d.node("Mul", [d.scalar(0.5), d.node("Add", [d.scalar(1), d.node("Erf", [scaled])])])
    return d.node("Mul", [share, "x"])
  },
  "of a product": (d) => {
    const x = d.node("Mul", ["x", "x"])
    return d.node("Mul", [d.node("Mul", [x, bend(d, x)]), d.scalar(0.5)])
  },
}

function norm(d: Drawing, axes: readonly number[], { keepdims = 1, square = 2, of = "x" } = {}): string {
  const mean = (value: string) => d.node("ReduceMean", [value], { axes, keepdims })
  const centred = d.node("Sub", ["x", mean(of)])
  const variance = mean(d.node("Pow", [centred, d.scalar(square)]))
  return d.node("Div", [centred, d.node("Sqrt", [d.node("Add", [variance, d.scalar(1e-3)])])])
}

function affine(d: Drawing, normalized: string, shape: Shape): string {
  const [scale, bias] = [d.store("norm.weight", random(shape)), d.store("norm.bias", random(shape))]
  return d.node("Add", [d.node("Mul", [normalized, scale]), bias])
}

const swap = { perm: [0, 1, 3, 2] }

describe("what exporters take apart is put together again", () => {
  test.each(Object.entries(gelus))("GELU as %s", async (_, draw) => {
    const found = await read(draw)
    expect(found.ops.filter((op) => op !== "Mul")).toEqual(["Gelu"])
    expect(found.plain).toContain("Erf")
    expect(found.plain).not.toContain("Gelu")
    expect(Math.max(found.difference, found.plainDifference)).toBeLessThan(1e-6)
  })

  test.each([[[-1]], [[3]], [[2, 3]], [[3, 2]]])("layer normalisation over axes %j", async (axes) => {
    const found = await read((d) => affine(d, norm(d, axes), axes.length === 1 ? [5] : [4, 5]))
    expect(found.ops).toEqual(["LayerNormalization"])
    expect(found.difference).toBeLessThan(1e-5)
  })

  test("products of stacks whose factors are swapped and scaled, before or after", async () => {
    const found = await read((d) => {
      const scaled = d.node("Mul", [d.node("Transpose", ["y"], swap), d.scalar(0.5)])
      const product = d.node("MatMul", [d.node("Mul", ["x", d.scalar(3)]), scaled])
      return d.node("Div", [product, d.scalar(8)])
    })
    expect(found.ops).toEqual(["FusedMatMul"])
    expect(found.plain).toEqual(expect.arrayContaining(["Transpose", "MatMul", "Mul"]))
    expect(Math.max(found.difference, found.plainDifference)).toBeLessThan(1e-5)
  })
})

describe("what is next to it is left as it is", () => {
  const others: Readonly<Record<string, (d: Drawing) => string>> = {
    "another factor than one half": (d) => d.node("Mul", [d.node("Mul", ["x", bend(d, "x")]), d.scalar(0.4)]),
    "the error function of another value": (d) => {
      const other = bend(d, d.node("Sin", ["x"]))
      return d.node("Mul", [d.node("Mul", ["x", other]), d.scalar(0.5)])
    },
    "x twice": (d) => d.node("Mul", [d.node("Mul", ["x", d.node("Mul", ["x", bend(d, "x")])]), d.scalar(0.5)]),
    "a norm over other axes": (d) => affine(d, norm(d, [1]), [5]),
    "a norm with another power": (d) => affine(d, norm(d, [-1], { square: 4 }), [5]),
    "a norm around the mean of another value": (d) => affine(d, norm(d, [-1], { of: d.node("Abs", ["x"]) }), [5]),
    "a shift for every position": (d) => affine(d, norm(d, [-1]), [4, 5]),
    "a moved axis that is not the last": (d) =>
      d.node("MatMul", [
        "x",
        d.node("Transpose", [d.node("Slice", ["y", d.ints(0), d.ints(3), d.ints(2)])], { perm: [0, 2, 3, 1] }),
      ]),
  }

  test.each(Object.entries(others))("%s", async (_, draw) => {
    const found = await read(draw)
    for (const op of ["Gelu", "LayerNormalization", "FusedMatMul"]) expect(found.ops).not.toContain(op)
    expect(found.difference).toBeLessThan(1e-5)
  })
})
