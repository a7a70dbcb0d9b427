import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { relativeDifference } from "../../graph/compare.ts"
import { Graph } from "../../graph/graph.ts"
import { floatTensor, type Shape, sizeOf, type Tensor } from "../../graph/tensor.ts"
import { createNetworkBuilder } from "../../nn/network.ts"
import { createRng } from "../../random/rng.ts"
import { compileEvaluation } from "../../runtime/evaluation.ts"
import { createSession } from "../../runtime/ort.ts"
import { writeOnnxModel } from "../../testing/onnx-writer.ts"
import { decodeOnnxModel } from "../read-model.ts"
import { Drawing } from "./drawing.test-suite.ts"
import { importNetwork } from "./network.ts"
import { storedParameters } from "./parameters.ts"
import { fixtureFolder } from "./parity.test-suite.ts"

const rng = createRng("fixed batch")
const random = (...shape: Shape) =>
  floatTensor(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()),
  )

/** The file's first output, imported for as many samples as `images` has. */
async function imported(bytes: Uint8Array, images: Tensor): Promise<Tensor> {
  const model = decodeOnnxModel(bytes, "net.onnx")
  const graph = new Graph()
  const weights = new Map([...storedParameters(model)].map(([name, { tensor }]) => [name, tensor.read()]))
  const given = new Map([[model.inputs[0]!.name, graph.input("images", "float32", images.shape)]])
  const [output] = model.outputs.map(({ name }) => name) as [string]
  const batch = images.shape[0] as number
  const values = importNetwork(createNetworkBuilder(graph, weights), model, { wanted: [output], given, batch })
  const evaluation = await compileEvaluation(graph, { y: values.get(output)! }, { threads: 1 })
  const { y } = await evaluation.run({ images })
  await evaluation.release()
  return y as Tensor
}

/** The file's own results, run by ONNX Runtime on as many samples at a time as it takes. */
async function original(bytes: Uint8Array, images: Tensor, fileBatch: number): Promise<readonly number[]> {
  const session = await createSession(bytes, { threads: 1 })
  const { inputs, outputs } = decodeOnnxModel(bytes, "net.onnx")
  const shape = [fileBatch, ...images.shape.slice(1)]
  const size = sizeOf(shape)
  const results: number[] = []
  for (let start = 0; start < images.data.length; start += size) {
    const data = (images.data as Float32Array).slice(start, start + size)
    const outcome = await session.run({ [inputs[0]!.name]: floatTensor(shape, data) })
    results.push(...(outcome[outputs[0]!.name]!.data as Float32Array))
  }
  await session.release()
  return results
}

async function expectSame(bytes: Uint8Array, images: Tensor, fileBatch: number): Promise<void> {
  const actual = await imported(bytes, images)
  expect(relativeDifference(actual.data as Float32Array, await original(bytes, images, fileBatch))).toBeLessThan(1e-5)
}

type Draw = (d: Drawing, fileBatch: number) => string

function written(draw: Draw, fileBatch: number, sample: Shape): Uint8Array {
  const drawing = new Drawing()
  const output = draw(drawing, fileBatch)
  const inputs = [{ name: "x", shape: [fileBatch, ...sample] }]
  return writeOnnxModel(drawing.written({ opset: 17, inputs, outputs: [output] }))
}

/** What holds the batch in files that were exported for a fixed one: drawn for any batch B, of samples of some shape. */
const patterns: Readonly<Record<string, readonly [sample: Shape, draw: Draw]>> = {
  "a Reshape to [B, 48]": [[3, 4, 4], (d, B) => d.node("Reshape", ["x", d.ints(B, 48)])],
  "a Reshape to [B, -1]": [[3, 4, 4], (d, B) => d.node("Reshape", ["x", d.ints(B, -1)])],
  "a Reshape to [B, -1, 8]": [[3, 4, 4], (d, B) => d.node("Reshape", ["x", d.ints(B, -1, 8)])],
  "a Reshape to [B * T, D] and back": [
    [5, 6],
    (d, B) => {
      const rows = d.node("Reshape", ["x", d.ints(B * 5, 6)])
      const product = d.node("MatMul", [rows, d.store("weight", random(6, 4))])
      return d.node("Reshape", [product, d.ints(B, 5, 4)])
    },
  ],
  "attention with the sequence first, heads beside the batch": [
    [5, 8],
    (d, B) => {
      const sequence = d.node("Transpose", ["x"], { perm: [1, 0, 2] }) // [T, B, D]
      const product = d.node("MatMul", [sequence, d.store("weight", random(8, 8))])
      const heads = d.node("Transpose", [d.node("Reshape", [product, d.ints(5, B * 2, 4)])], { perm: [1, 0, 2] })
      const scores = d.node("MatMul", [heads, d.node("Transpose", [heads], { perm: [0, 2, 1] })])
      const mixed = d.node("MatMul", [d.node("Softmax", [scores], { axis: -1 }), heads]) // [B heads, T, 4]
      const joined = d.node("Reshape", [d.node("Transpose", [mixed], { perm: [1, 0, 2] }), d.ints(5 * B, 8)])
      const last = d.node("Reshape", [d.node("MatMul", [joined, d.store("out", random(8, 3))]), d.ints(5, B, 3)])
      return d.node("Transpose", [last], { perm: [1, 0, 2] })
    },
  ],
  "a class token that is expanded to B": [
    [4, 6],
    (d, B) => {
      const tokens = d.node("MatMul", ["x", d.store("weight", random(6, 6))])
      const token = d.node("Expand", [d.store("token", random(1, 1, 6)), d.ints(B, 1, 6)])
      return d.node("Concat", [token, tokens], { axis: 1 })
    },
  ],
  "a constant that the exporter repeated B times": [
    [4, 6],
    (d, B) => {
      const row = d.node("Constant", [], { value: random(1, 1, 6) })
      const copies = Array.from({ length: B }, () => row)
      const repeated = B === 1 ? row : d.node("Concat", copies, { axis: 0 })
      return d.node("Concat", ["x", repeated], { axis: -2 })
    },
  ],
  "channels expanded beside the batch": [
    [1, 4],
    (d, B) => d.node("Mul", [d.node("Expand", ["x", d.ints(B, 3, 4)]), d.store("scale", random(3, 1))]),
  ],
  "sizes of a Resize": [[2, 3, 3], (d, B) => d.node("Resize", ["x", "", "", d.ints(B, 2, 6, 6)], { mode: "nearest" })],
  "groups of channels": [
    [6, 4],
    (d, B) => {
      const groups = d.node("Reshape", ["x", d.ints(B, 2, 3, 4)])
      return d.node("Reshape", [d.node("Transpose", [groups], { perm: [0, 2, 1, 3] }), d.ints(B, 6, 4)])
    },
  ],
  "a shape that is worked out from another": [
    [3, 4],
    (d) => d.node("Reshape", [d.node("Relu", ["x"]), d.node("Concat", [lengthOf(d, "x"), d.ints(-1)], { axis: 0 })]),
  ],
}

function lengthOf(d: Drawing, x: string): string {
  return d.node("Slice", [d.node("Shape", [x]), d.ints(0), d.ints(1)])
}

describe.each(Object.entries(patterns))("a file with %s", (_, [sample, draw]) => {
  test.each([
    [1, 6],
    [2, 6],
    [3, 6],
  ])("that was exported for %i samples gives the same for %i", async (fileBatch, batch) => {
    await expectSame(written(draw, fileBatch, sample), random(batch, ...sample), fileBatch)
  })
})

describe("a file for a fixed batch", () => {
  test("of PyTorch's vision transformer gives the same for eight samples as for one at a time", async () => {
    await expectSame(new Uint8Array(readFileSync(join(fixtureFolder, "vit-batch1.onnx"))), random(8, 3, 16, 16), 1)
  })

  test("whose rows differ cannot be joined to another batch, and is refused by the node's name", async () => {
    const draw: Draw = (d, B) => d.node("Concat", ["x", d.store("rows", random(B, 1, 6))], { axis: 1 })
    await expect(imported(written(draw, 2, [4, 6]), random(4, 4, 6))).rejects.toMatchObject({
      code: "GRAPH_SHAPE",
      details: { where: 'net.onnx, Concat node "node_Concat_0"' },
    })
  })
})
