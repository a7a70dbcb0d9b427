import { describe, expect, test } from "vitest"
import { gradients } from "../../autodiff/gradients.ts"
import { LearnlossError } from "../../errors.ts"
import { reduceSum } from "../../graph/build.ts"
import { Graph, type Value } from "../../graph/graph.ts"
import { floatTensor, intTensor, type Shape } from "../../graph/tensor.ts"
import { createNetworkBuilder } from "../../nn/network.ts"
import {
  type WrittenAttribute,
  type WrittenTensor,
  type WrittenValue,
  writeOnnxModel,
} from "../../testing/onnx-writer.ts"
import { decodeOnnxModel } from "../read-model.ts"
import { Drawing } from "./drawing.test-suite.ts"
import { type ImportOptions, importNetwork } from "./network.ts"

const weight = (...shape: Shape) => floatTensor(shape)

interface Given {
  readonly inputs?: readonly WrittenValue[]
  readonly opset?: number
  readonly more?: Readonly<Record<string, WrittenTensor>>
  readonly options?: Partial<ImportOptions>
}

/** Imports what is drawn on `x`, [2, 3, 8, 8] unless said otherwise, for training. */
function importDrawn(draw: (d: Drawing) => string | readonly string[], given: Given = {}) {
  const { inputs = [{ name: "x", shape: ["n", 3, 8, 8] }], opset = 18, more = {}, options = {} } = given
  const d = new Drawing()
  const outputs = [draw(d)].flat()
  const written = d.written({ opset, inputs, outputs })
  const bytes = writeOnnxModel({ ...written, initializers: { ...written.initializers, ...more } })
  const model = decodeOnnxModel(bytes, "net.onnx")
  const graph = new Graph()
  const fed = model.inputs.map(({ name, shape, dataType }) => {
    const lengths = (shape ?? []).map((length) => (typeof length === "number" ? length : 2))
    return [name, graph.input(`fed ${name}`, dataType === "int64" ? "int64" : "float32", lengths)] as const
  })
  const network = createNetworkBuilder(graph, "inputs")
  const values = importNetwork(network, model, { wanted: outputs, given: new Map(fed), batch: 2, ...options })
  return { graph, network, values }
}

function refusalOf(run: () => unknown): LearnlossError {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(LearnlossError)
    return error as LearnlossError
  }
  throw new Error("nothing was refused")
}

const conv = (d: Drawing, x = "x", name = "conv.weight") => d.node("Conv", [x, d.store(name, weight(4, 3, 1, 1))])

describe("an op that nothing trains through", () => {
  test.each<[string, string, string]>([
    ["Det", "", "Det"],
    ["Fancy", "com.example", "Fancy of the domain com.example"],
    ["Relu", "com.example", "Relu of the domain com.example"],
    ["constructor", "", "constructor"],
    ["toString", "", "toString"],
  ])("%s of domain %j is named with its node and the three ways out", (op, domain, got) => {
    const error = refusalOf(() =>
      importDrawn((d) => {
        d.nodes.push({ op, domain, inputs: [conv(d)], outputs: ["y"], name: "the node" })
        return "y"
      }),
    )
    expect(error.code).toBe("ONNX_OP_UNKNOWN")
    expect(error.details.where).toBe(`net.onnx, ${domain === "" ? op : `${domain}.${op}`} node "the node"`)
    expect(error.details.got).toBe(got)
    for (const way of [/--freeze/, /--output/, /--taps/]) expect(error.details.fix).toMatch(way)
  })

  test.each(["Loop", "If", "Scan"])("%s, which holds a graph of its own, is one of them", (op) => {
    const body = { nodes: [{ op: "Identity", inputs: ["a"], outputs: ["b"] }], inputs: [{ name: "a" }], outputs: ["b"] }
    const attributes: Record<string, WrittenAttribute> =
      op === "If" ? { then_branch: { graph: body }, else_branch: { graph: body } } : { body: { graph: body } }
    const error = refusalOf(() => importDrawn((d) => d.node(op, [conv(d)], attributes)))
    expect(error).toMatchObject({ code: "ONNX_OP_UNKNOWN", details: { got: op } })
  })

  test("may stand where nobody asks for it, or where it is given", () => {
    const draw = (d: Drawing) => {
      d.nodes.push({ op: "Fancy", domain: "com.example", inputs: [conv(d)], outputs: ["odd"], name: "the node" })
      return d.node("Relu", ["odd"], {}, "y")
    }
    const graph = new Graph()
    const odd = graph.input("odd", "float32", [2, 4, 8, 8])
    const d = new Drawing()
    const output = draw(d)
    const inputs = [{ name: "x", shape: ["n", 3, 8, 8] }]
    const model = decodeOnnxModel(writeOnnxModel(d.written({ opset: 18, inputs, outputs: [output] })), "net.onnx")
    const network = createNetworkBuilder(graph, "inputs")
    const given = new Map([["odd", odd]])
    expect(importNetwork(network, model, { wanted: ["y"], given, batch: 2 }).get("y")?.shape).toEqual([2, 4, 8, 8])
    expect(network.specs).toEqual([])
  })

  test("is refused for what its attributes ask, too", () => {
    const error = refusalOf(() =>
      importDrawn((d) => {
        const updates = d.store("updates", weight(1, 3, 8, 8))
        return d.node("ScatterND", ["x", d.store("at", intTensor([1, 1], [0])), updates], { reduction: "mul" })
      }),
    )
    expect(error).toMatchObject({ code: "ONNX_UNSUPPORTED", details: { got: "mul" } })
    expect(error.details.where).toMatch(/ScatterND node "node_ScatterND_0"/)
    expect(error.details.fix).toMatch(/--freeze/)
  })
})

describe("weights", () => {
  test.each(["float16", "float64", "bfloat16"] as const)("of %s are refused where they must train", (dataType) => {
    const bytes = dataType === "float64" ? 8 : 2
    const half: WrittenTensor = { dataType, shape: [4, 3, 1, 1], rawData: new Uint8Array(12 * bytes) }
    const draw = (d: Drawing) => d.node("Conv", ["x", d.node("Cast", ["half"], { to: 1 })])
    const error = refusalOf(() => importDrawn(draw, { more: { half } }))
    expect(error).toMatchObject({
      code: "ONNX_DTYPE",
      details: { where: 'net.onnx, weight "half"', expected: "float32, which training needs", got: dataType },
    })
    expect(error.details.fix).toMatch(/--freeze/)
    const { network } = importDrawn(draw, { more: { half }, options: { isFrozen: () => true } })
    expect(network.specs).toEqual([])
  })

  test.each<[string, (d: Drawing) => string]>([
    ["a kernel", (d) => d.node("Conv", ["x", d.store("w", weight(0, 3, 1, 1))])],
    ["a bias", (d) => d.node("Conv", ["x", d.store("v", weight(4, 3, 1, 1)), d.store("w", weight(0))])],
    ["a scale", (d) => d.node("LayerNormalization", ["x", d.store("w", weight(0))])],
  ])("without numbers are refused by name: %s", (_, draw) => {
    const error = refusalOf(() => importDrawn(draw))
    expect(error.code).toBe("ONNX_TENSOR")
    expect(error.details.where).toMatch(/"w"/)
  })

  test.each<[string, (d: Drawing) => string]>([
    ["Conv", (d) => d.node("Conv", ["x", d.store("w", weight(4, 5, 1, 1))])],
    ["Conv", (d) => d.node("Conv", ["x", d.store("w", weight(4, 3, 1, 1)), d.store("b", weight(5))])],
    ["Conv", (d) => d.node("Conv", ["x", d.store("w", weight(4, 3, 1))])],
    ["Conv", (d) => d.node("Conv", ["x", d.store("w", weight(4, 3, 9, 9))])],
    ["Conv", (d) => d.node("Conv", ["x", d.store("w", weight(4, 1, 1, 1))], { group: 3 })],
    ["ConvTranspose", (d) => d.node("ConvTranspose", ["x", d.store("w", weight(4, 3, 2, 2))])],
    ["BatchNormalization", (d) => norm(d, [3, 3, 3, 4])],
    ["BatchNormalization", (d) => norm(d, [4, 3, 3, 3])],
    ["BatchNormalization", (d) => norm(d, [3, 3])],
    ["MatMul", (d) => d.node("MatMul", ["x", d.store("w", weight(7, 4))])],
    ["Gemm", (d) => d.node("Gemm", ["x", d.store("w", weight(3, 4))])],
    ["LayerNormalization", (d) => d.node("LayerNormalization", ["x", d.store("w", weight(7))])],
    ["Add", (d) => d.node("Add", [conv(d), d.store("w", weight(5))])],
    ["PRelu", (d) => d.node("PRelu", ["x", d.store("w", weight(5, 1, 1))])],
  ])("that do not fit are refused by the name of the %s node, case %#", (op, draw) => {
    const error = refusalOf(() => importDrawn(draw))
    expect(["GRAPH_SHAPE", "ONNX_UNSUPPORTED"]).toContain(error.code)
    expect(error.details.where).toContain(`${op} node "node_${op}_`)
    expect(error.details.fix).toBeTruthy()
  })
})

function norm(d: Drawing, lengths: readonly number[]): string {
  const parts = lengths.map((length, index) => d.store(`part ${index}`, weight(length)))
  return d.node("BatchNormalization", ["x", ...parts])
}

describe("values", () => {
  test("that nothing makes cannot be wanted", () => {
    const error = refusalOf(() => importDrawn(conv, { options: { wanted: ["layer9"] } }))
    expect(error).toMatchObject({ code: "ONNX_VALUE_UNKNOWN", details: { where: "net.onnx" } })
    expect(error.details.got).toContain('"layer9"')
    expect(error.details.fix).toContain("inspect")
  })

  test("that are inputs must be given", () => {
    const error = refusalOf(() => importDrawn(conv, { options: { given: new Map() } }))
    expect(error).toMatchObject({ code: "ONNX_VALUE_UNKNOWN", details: { got: expect.stringContaining('"x"') } })
  })

  test("without numbers are refused where they are given", () => {
    const graph = new Graph()
    const given = new Map([["x", graph.input("x", "float32", [2, 3, 0, 8])]])
    const error = refusalOf(() => importDrawn(conv, { options: { given } }))
    expect(error.code).toBe("ONNX_TENSOR")
    expect(error.details.where).toContain('"x"')
  })

  test("of several outputs are all there", () => {
    const { values } = importDrawn((d) => {
      const y = conv(d)
      return [y, d.node("Relu", [y]), ...d.split("Split", [y], { axis: 1, num_outputs: 2 }, ["a", "b"])]
    })
    expect([...values.values()].map(({ shape }) => shape[1])).toEqual([4, 4, 2, 2])
  })

  const dynamic = (d: Drawing) => d.node("Cast", [d.node("ReduceMax", [conv(d)], { keepdims: 0 })], { to: 7 })
  const list = (d: Drawing) => d.node("Unsqueeze", [dynamic(d), d.ints(0)])

  test.each<[string, (d: Drawing) => string]>([
    ["Reshape", (d) => d.node("Reshape", ["x", d.node("Concat", [list(d), d.ints(-1)], { axis: 0 })])],
    ["Slice", (d) => d.node("Slice", ["x", d.ints(0), list(d)])],
    ["Expand", (d) => d.node("Expand", ["x", list(d)])],
    ["Tile", (d) => d.node("Tile", ["x", list(d)])],
    ["Pad", (d) => d.node("Pad", ["x", list(d)])],
    ["TopK", (d) => d.split("TopK", ["x", list(d)], {}, ["values", "at"])[0] as string],
    ["ReduceSum", (d) => d.node("ReduceSum", ["x", list(d)])],
    ["Resize", (d) => d.node("Resize", ["x", "", "", list(d)], { mode: "nearest" })],
    ["Split", (d) => d.split("Split", ["x", list(d)], { axis: 1 }, ["a"])[0] as string],
  ])("that depend on data cannot say the shape of a %s", (op, draw) => {
    const error = refusalOf(() => importDrawn(draw))
    expect(error.code).toBe("ONNX_UNSUPPORTED")
    expect(error.details.where).toContain(`net.onnx, ${op} node "node_${op}_`)
    expect(error.details.expected).toMatch(/do not depend on data/)
    expect(error.details.fix).toMatch(/--freeze/)
  })

  test("that are whole numbers may be computed with, and end the gradient", () => {
    const { graph, network, values } = importDrawn((d) => {
      const y = conv(d)
      const at = d.node("ArgMax", [y], { axis: 1, keepdims: 1 })
      const next = d.node("Sub", [d.node("Add", [at, d.ints(1)]), d.ints(1)])
      return d.node("GatherElements", [y, next], { axis: 1 })
    })
    const [loss] = [...values.values()].map((value) => reduceSum(value))
    const [slope] = gradients(graph, loss as Value, [network.values.get("conv.weight")!])
    expect(slope?.shape).toEqual([4, 3, 1, 1])
  })

  test.each<[string, (d: Drawing) => string]>([
    ["Softmax", (d) => d.node("Softmax", ["x"], { axis: 4 })],
    ["Concat", (d) => d.node("Concat", ["x", "x"], { axis: -5 })],
    ["Transpose", (d) => d.node("Transpose", ["x"], { perm: [0, 1, 2, 4] })],
    ["Transpose", (d) => d.node("Transpose", ["x"], { perm: [0, 1] })],
    ["ReduceMean", (d) => d.node("ReduceMean", ["x", d.ints(7)])],
    ["Squeeze", (d) => d.node("Squeeze", ["x", d.ints(1)])],
    ["Unsqueeze", (d) => d.node("Unsqueeze", ["x", d.ints(9)])],
    ["Flatten", (d) => d.node("Flatten", ["x"], { axis: 5 })],
    ["Gather", (d) => d.node("Gather", ["x", d.ints(3)], { axis: 1 })],
    ["Gather", (d) => d.node("Gather", ["x", d.ints(-4)], { axis: 1 })],
    ["GatherElements", (d) => d.node("GatherElements", ["x", d.ints(0)], { axis: 1 })],
    ["Reshape", (d) => d.node("Reshape", ["x", d.ints(-2, 192)])],
    ["Reshape", (d) => d.node("Reshape", ["x", d.ints(-1, -1)])],
    ["Reshape", (d) => d.node("Reshape", ["x", d.ints(2, 7)])],
    ["Expand", (d) => d.node("Expand", ["x", d.ints(2, -3, 8, 8)])],
    ["Tile", (d) => d.node("Tile", ["x", d.ints(1, -1, 1, 1)])],
    ["MaxPool", (d) => d.node("MaxPool", ["x"], { kernel_shape: [9, 9] })],
    ["DepthToSpace", (d) => d.node("DepthToSpace", ["x"], { blocksize: 2 })],
    ["Einsum", (d) => d.node("Einsum", ["x"], { equation: "ij->ji" })],
    ["Where", (d) => d.node("Where", ["x", "x", "x"])],
    ["Add", (d) => d.node("Add", ["x", d.ints(1)])],
  ])("outside of what a %s has are refused by the node's name, case %#", (op, draw) => {
    const error = refusalOf(() => importDrawn(draw))
    expect(["GRAPH_SHAPE", "ONNX_UNSUPPORTED"]).toContain(error.code)
    expect(error.details.where).toContain(`net.onnx, ${op} node "node_${op}_`)
    expect(error.details.fix).toBeTruthy()
  })
})

describe("monstrous sizes", () => {
  const million = 10 ** 6
  const millions = (d: Drawing) => d.node("ConstantOfShape", [d.ints(million, million)])

  test.each<[string, (d: Drawing) => string]>([
    ["ConstantOfShape", (d) => d.node("Add", ["x", millions(d)])],
    ["ConstantOfShape", (d) => d.node("Add", ["x", d.node("ConstantOfShape", [d.ints(0, 10 ** 15)])])],
    ["Expand", (d) => d.node("Add", ["x", d.node("Expand", [d.scalar(1), d.ints(million, million)])])],
    ["Expand", (d) => d.node("Expand", ["x", d.ints(million, million, 1, 1, 1, 1)])],
    ["Tile", (d) => d.node("Add", ["x", d.node("Tile", [d.ints(1), d.ints(10 ** 12)])])],
    ["Tile", (d) => d.node("Tile", ["x", d.ints(million, million, 1, 1)])],
    ["Range", (d) => d.node("Range", [d.int(0), d.int(10 ** 12), d.int(1)])],
    ["Range", (d) => d.node("Range", [d.scalar(0), d.scalar(1), d.scalar(1e-30)])],
    ["OneHot", (d) => d.node("OneHot", [d.ints(1, 2), d.int(10 ** 12), d.store("v", intTensor([2], [0, 1]))])],
    ["Pad", (d) => d.node("Pad", ["x", d.ints(0, 0, 10 ** 12, 0, 0, 0, 0, 0)])],
    ["Resize", (d) => d.node("Resize", ["x", "", "", d.ints(2, 3, 10 ** 7, 10 ** 7)], { mode: "nearest" })],
    [
      "ConvTranspose",
      (d) => d.node("ConvTranspose", ["x", d.store("w", weight(3, 4, 1, 1))], { strides: [2 ** 31, 2 ** 31] }),
    ],
    ["Pow", (d) => d.node("Pow", [d.ints(3), d.int(10 ** 12)])],
  ])("are refused at once: %s, case %#", (op, draw) => {
    const started = performance.now()
    const error = refusalOf(() => importDrawn(draw))
    expect(performance.now() - started).toBeLessThan(5_000)
    expect(["GRAPH_SHAPE", "ONNX_UNSUPPORTED"]).toContain(error.code)
    expect(error.details.where).toContain(`${op} node "node_${op}_`)
  })
})
