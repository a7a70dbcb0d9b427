import { createHash } from "node:crypto"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { floatTensor, intTensor } from "../graph/tensor.ts"
import { type WrittenModel, type WrittenNode, writeOnnxModel } from "../testing/onnx-writer.ts"
import { decodeOnnxModel, readOnnxModel } from "./read-model.ts"

const relu: WrittenNode = { op: "Relu", inputs: ["x"], outputs: ["y"] }
const small: WrittenModel = { opset: 17, inputs: [{ name: "x", shape: ["n", 3] }], nodes: [relu], outputs: ["y"] }
const read = (model: Partial<WrittenModel>) => decodeOnnxModel(writeOnnxModel({ ...small, ...model }), "test.onnx")
const refusal = (code: string, message = "") =>
  expect.objectContaining({ code, message: expect.stringContaining(message) })

describe("reading an ONNX file", () => {
  test("tells what stands in it", () => {
    const model = read({
      producer: "exporter",
      producerVersion: "2.1",
      irVersion: 11,
      opsets: { "com.microsoft": 1 },
      metadata: { author: "me" },
      inputs: [
        { name: "x", shape: ["n", 3, null, -1] },
        { name: "ids", dtype: "int64" },
        { name: "w", shape: [2] },
      ],
      initializers: { w: floatTensor([2], Float32Array.of(1, 2)) },
      outputs: [{ name: "y", shape: ["n", 3] }],
    })
    expect(model).toMatchObject({
      where: "test.onnx",
      irVersion: 11,
      opset: 17,
      producer: { name: "exporter", version: "2.1" },
      inputs: [
        { name: "x", dataType: "float32", shape: ["n", 3, undefined, undefined] },
        { name: "ids", dataType: "int64", shape: undefined },
      ],
      outputs: [{ name: "y", dataType: "float32", shape: ["n", 3] }],
    })
    expect(model.opsets).toEqual(
      new Map([
        ["", 17],
        ["com.microsoft", 1],
      ]),
    )
    expect(model.metadata).toEqual(new Map([["author", "me"]]))
    expect(model.initializers.get("w")?.read()).toEqual(floatTensor([2], Float32Array.of(1, 2)))
  })

  test("sorts nodes, and leaves those alone that are in order", () => {
    const nodes: WrittenNode[] = [
      { op: "Add", inputs: ["a", "b"], outputs: ["y"], name: "sum" },
      { op: "Relu", inputs: ["x"], outputs: ["a"] },
      { op: "Neg", inputs: ["a"], outputs: ["b"], name: "sum" },
      { op: "Abs", inputs: ["x"], outputs: ["unused"], name: "sum_2" },
    ]
    expect(read({ nodes }).nodes.map(({ op }) => op)).toEqual(["Relu", "Neg", "Add", "Abs"])
    const sorted = [1, 3, 2, 0].map((index) => nodes[index] as WrittenNode)
    expect(read({ nodes: sorted }).nodes.map(({ op }) => op)).toEqual(["Relu", "Abs", "Neg", "Add"])
  })

  test("gives every node a name of its own", () => {
    const nodes: WrittenNode[] = [
      { op: "Relu", inputs: ["x"], outputs: ["a"] },
      { op: "Relu", inputs: ["a"], outputs: ["b"], name: "same" },
      { op: "Relu", inputs: ["b"], outputs: ["c"], name: "same" },
      { op: "Relu", inputs: ["c"], outputs: ["y"], name: "same_2" },
    ]
    expect(read({ nodes }).nodes.map(({ name }) => name)).toEqual(["Relu_0", "same", "same_3", "same_2"])
  })

  test("reads every kind of attribute, with and without its type", () => {
    const tensor = intTensor([2], [3, 4])
    const [node] = read({
      nodes: [
        {
          ...relu,
          attributes: {
            int: 3,
            negative: -2,
            float: 0.5,
            whole: { float: 2 },
            string: "mode",
            ints: [1, 2],
            floats: [0.5, 1],
            strings: ["a", "b"],
            tensor,
            graph: { graph: { nodes: [], inputs: [], outputs: ["x"] } },
            oldInt: { untyped: 7 },
            oldFloat: { untyped: 0.25 },
            oldString: { untyped: "text" },
            oldInts: { untyped: [5, 6] },
            oldFloats: { untyped: [0.5] },
            oldTensor: { untyped: tensor },
          },
        },
      ],
    }).nodes
    const plain = Object.fromEntries(
      [...(node?.attributes ?? [])].map(([name, attribute]) => [
        name,
        attribute.kind === "tensor" ? attribute.value.read() : attribute,
      ]),
    )
    expect(plain).toEqual({
      int: { kind: "int", value: 3 },
      negative: { kind: "int", value: -2 },
      float: { kind: "float", value: 0.5 },
      whole: { kind: "float", value: 2 },
      string: { kind: "string", value: "mode" },
      ints: { kind: "ints", value: [1, 2] },
      floats: { kind: "floats", value: [0.5, 1] },
      strings: { kind: "strings", value: ["a", "b"] },
      tensor,
      graph: { kind: "other" },
      oldInt: { kind: "int", value: 7 },
      oldFloat: { kind: "float", value: 0.25 },
      oldString: { kind: "string", value: "text" },
      oldInts: { kind: "ints", value: [5, 6] },
      oldFloats: { kind: "floats", value: [0.5] },
      oldTensor: tensor,
    })
  })

  test("keeps ops and domains that learnloss does not know, and knows ONNX's domain by both names", () => {
    const { nodes } = read({
      nodes: [
        { op: "Special", domain: "org.example", inputs: ["x"], outputs: ["a"] },
        { op: "Relu", domain: "ai.onnx", inputs: ["a"], outputs: ["y"] },
      ],
    })
    expect(nodes.map(({ op, domain }) => [op, domain])).toEqual([
      ["Special", "org.example"],
      ["Relu", ""],
    ])
    expect(read({ outputs: ["x"] }).outputs[0]?.name).toBe("x")
  })

  test("computes the digest of the file", () => {
    const bytes = writeOnnxModel(small)
    const path = join(mkdtempSync(join(tmpdir(), "learnloss-")), "model.onnx")
    writeFileSync(path, bytes)
    const model = readOnnxModel(path)
    expect(model.digest).toBe(createHash("sha256").update(bytes).digest("hex"))
    expect(model.where).toBe(path)
  })

  test.each<[string, Uint8Array]>([
    ["an empty file", new Uint8Array()],
    ["a text", Buffer.from("name,loss\nimage-1,0.25\nimage-2,0.5\n")],
    ["an HTML page", Buffer.from("<!doctype html><html><body>Not found</body></html>")],
    ["a cut off file", writeOnnxModel(small).subarray(0, -9)],
    ["zeros", new Uint8Array(100)],
    ["a model without a graph", Uint8Array.of(0x08, 0x08)],
    ["a PNG image", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13)],
  ])("refuses %s", (_, bytes) => {
    expect(() => decodeOnnxModel(bytes, "test.onnx")).toThrow(refusal("ONNX_BROKEN"))
  })

  test("refuses a file that is not there, a folder, and a graph without outputs", () => {
    expect(() => readOnnxModel("/nowhere/model.onnx")).toThrow(refusal("ONNX_BROKEN", "/nowhere/model.onnx"))
    expect(() => readOnnxModel(tmpdir())).toThrow(refusal("ONNX_BROKEN"))
    expect(() => read({ outputs: [] })).toThrow(refusal("ONNX_BROKEN"))
  })

  test.each([10, 23, 0, -1])("refuses operator set %d and says how to export another", (opset) => {
    expect(() => read({ opset })).toThrow(refusal("ONNX_OPSET", "opset_version=17"))
  })

  test("refuses a file without ONNX's operator set", () => {
    const bytes = writeOnnxModel({ ...small, opsets: { other: 1 } })
    const text = Buffer.from(bytes)
    // The version of domain "" stands in a message of two bytes: field 2, value 17.
    const place = text.indexOf(Buffer.from([0x10, 17]))
    text[place + 1] = 99
    expect(() => decodeOnnxModel(text, "test.onnx")).toThrow(refusal("ONNX_OPSET", "99"))
  })

  test.each<[string, Partial<WrittenModel>, string]>([
    ["a cycle", { nodes: [relu2("a", "b"), relu2("b", "a"), relu2("x", "y")] }, "cycle"],
    ["a node that reads itself", { nodes: [relu2("y", "y")] }, "cycle"],
    ["an input that nothing makes", { nodes: [relu2("missing", "y")] }, '"missing"'],
    ["a value made twice", { nodes: [relu, relu2("x", "y")] }, '"y" made twice'],
    ["a node that makes an input", { nodes: [relu, relu2("y", "x")] }, '"x" made twice'],
    ["a node without an op", { nodes: [{ ...relu, op: "", name: "blank" }] }, "blank"],
    ["an output twice", { outputs: ["y", "y"] }, '"y" twice'],
    ["an output that nothing makes", { outputs: ["z"] }, '"z"'],
    ["an input twice", { inputs: [{ name: "x" }, { name: "x" }] }, '"x" twice'],
    ["an input without a name", { inputs: [{ name: "x" }, { name: "" }] }, "name"],
    ["a negative length of an axis", { inputs: [{ name: "x", shape: [-7] }] }, "-7"],
    [
      "a subgraph that reads what nothing makes",
      {
        nodes: [
          {
            op: "If",
            inputs: ["x"],
            outputs: ["y"],
            attributes: { then_branch: { graph: { nodes: [relu2("ghost", "r")], inputs: [], outputs: ["r"] } } },
          },
        ],
      },
      '"ghost"',
    ],
  ])("refuses %s", (_, model, message) => {
    expect(() => read(model)).toThrow(refusal("ONNX_GRAPH", message))
  })

  test("refuses inputs of length zero", () => {
    expect(() => read({ inputs: [{ name: "x", shape: [1, 0] }] })).toThrow(refusal("ONNX_TENSOR", '"x"'))
  })

  test("refuses subgraphs a hundred levels deep, and reads chains of ten thousand nodes", () => {
    let graph = { nodes: [relu2("x", "r")], inputs: [], outputs: ["r"] }
    for (let depth = 0; depth < 100; depth++) {
      const node = { op: "If", inputs: ["x"], outputs: ["r"], attributes: { then_branch: { graph } } }
      graph = { nodes: [node], inputs: [], outputs: ["r"] }
    }
    expect(() => read({ nodes: [...graph.nodes, relu2("r", "y")] })).toThrow(refusal("ONNX_GRAPH", "levels deep"))
    const chain = Array.from({ length: 10_000 }, (_, index) => relu2(index === 0 ? "x" : `v${index - 1}`, `v${index}`))
    expect(read({ nodes: chain.toReversed(), outputs: ["v9999"] }).nodes).toHaveLength(10_000)
  })
})

function relu2(input: string, output: string): WrittenNode {
  return { op: "Relu", inputs: [input], outputs: [output] }
}
