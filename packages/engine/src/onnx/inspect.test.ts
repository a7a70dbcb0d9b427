import { describe, expect, test } from "vitest"
import { floatTensor } from "../graph/tensor.ts"
import { type WrittenModel, writeOnnxModel } from "../testing/onnx-writer.ts"
import { inspectOnnxModel } from "./inspect.ts"
import { NetworkWriter, networks } from "./networks.test-suite.ts"
import { decodeOnnxModel } from "./read-model.ts"

const inspect = (model: WrittenModel) => inspectOnnxModel(decodeOnnxModel(writeOnnxModel(model), "test.onnx"))

describe("an inspection", () => {
  test("tells size, cost, ops and what to tap", async () => {
    const found = await inspect(networks.sequenceCnn())
    expect(found).toMatchObject({
      producer: { name: "test" },
      opset: 17,
      batch: "dynamic",
      outputs: [{ name: "y", probed: [2, 5] }],
      embedding: { name: "features", shape: [8] },
      finalSoftmax: undefined,
      foldedNorm: "no",
      obstacles: [],
    })
    const weights = 4 * 2 * 3 + 6 * 4 * 3 + 8 * 6 * 3 + 5 * 8 + 5
    expect(found.parameters).toMatchObject({ count: weights, bytes: 4 * weights })
    // Output positions 16, 8 and 4.
    expect(found.flops).toBe(2 * (16 * 24 + 8 * 72 + 4 * 144 + 40))
    expect(found.taps.map(({ shape }) => shape)).toEqual([
      [4, 16],
      [6, 8],
      [8, 4],
    ])
    expect(found.ops.slice(0, 2)).toEqual([
      { op: "Conv", domain: "", count: 3, isReadable: true, hasGradient: true },
      { op: "Relu", domain: "", count: 3, isReadable: true, hasGradient: true },
    ])
  })

  test("counts grouped and transposed convolutions and batched products", async () => {
    const w = new NetworkWriter()
    const grouped = w.conv("grouped", "x", [4, 8, 3], { group: 2 })
    w.op("ConvTranspose", [grouped, w.weight("up.weight", [8, 3, 2, 2])], "up", { strides: [2, 2] })
    w.op("MatMul", ["up", "up"], "square")
    const { flops } = await inspect(w.model([{ name: "x", shape: ["n", 4, 5, 5] }], ["square"]))
    expect(flops).toBe(2 * (8 * 25 * 2 * 9 + 8 * 25 * 3 * 4 + 3 * 10 * 10 * 10))
  })

  test("counts statistics as stored, not as parameters", async () => {
    const w = new NetworkWriter()
    w.batchNorm("bn", w.conv("c", "x", [3, 4, 1]), 4)
    const { parameters } = await inspect(w.model([{ name: "x", shape: ["n", 3, 2, 2] }], ["bn"]))
    expect(parameters.count).toBe(12 + 8)
    expect(parameters.bytes).toBe(4 * (12 + 16))
  })

  test("of a file with custom ops tells what needs no run, and why shapes are unknown", async () => {
    const w = new NetworkWriter()
    const first = w.linear("first", "x", [3, 4])
    w.nodes.push({ op: "Special", domain: "org.example", name: "the node", inputs: [first], outputs: ["middle"] })
    w.linear("y", "middle", [4, 2])
    const model = { ...w.model([{ name: "x", shape: ["n", 3] }], ["y"]), opsets: { "org.example": 1 } }
    const found = await inspect(model)
    expect(found).toMatchObject({ batch: "unknown", batchSize: undefined, flops: undefined, taps: [] })
    expect(found.shapesUnknown).toMatch(/custom ops \(org\.example\.Special\)/)
    expect(found.parameters.count).toBe(3 * 4 + 4 + 4 * 2 + 2)
    expect(found.ops.find(({ op }) => op === "Special")).toMatchObject({ domain: "org.example", isReadable: false })
    expect(found.obstacles).toMatchObject([
      { node: "the node", lacks: "rule", parameters: ["first.weight", "first.bias"] },
    ])
    const broken = { ...w.model([{ name: "x", shape: ["n", 7] }], ["y"]), nodes: w.nodes.slice(0, -2) }
    await expect(inspect({ ...broken, outputs: [first] })).rejects.toMatchObject({ code: "ONNX_RUN" })
  })

  test("prints the recipe for a better export where normalisation was folded", async () => {
    const w = new NetworkWriter()
    w.initializers["onnx::Conv_12"] = floatTensor([4, 3, 1, 1])
    w.initializers["onnx::Conv_13"] = floatTensor([4])
    w.op("Conv", ["x", "onnx::Conv_12", "onnx::Conv_13"], "y")
    const found = await inspect(w.model([{ name: "x", shape: ["n", 3, 2, 2] }], ["y"]))
    expect(found.foldedNorm).toBe("yes")
    expect(found.recipe).toContain("torch.onnx.TrainingMode.TRAINING")
    expect((await inspect(networks.mlp())).recipe).toBe(undefined)
  })
})

describe("obstacles to training", () => {
  const withOp = (op: string, domain = "") => {
    const w = new NetworkWriter()
    const first = w.linear("first", "x", [3, 4])
    w.nodes.push({ op, domain, name: "the node", inputs: [first], outputs: ["middle"] })
    w.linear("y", w.op("Relu", ["middle"], "bent"), [4, 2])
    return { ...w.model([{ name: "x", shape: ["n", 3] }], ["y"]), opsets: { "com.microsoft": 1 } }
  }

  test("are ops without a gradient between parameters and the output", async () => {
    expect((await inspect(withOp("Round"))).obstacles).toEqual([
      {
        op: "Round",
        domain: "",
        node: "the node",
        lacks: expect.stringMatching(/rule|gradient/),
        parameters: ["first.weight", "first.bias"],
        parameterCount: 2,
      },
    ])
  })

  test("are ops without a rule, of other domains too", async () => {
    const found = await inspect(withOp("Gelu", "com.microsoft"))
    expect(found.obstacles).toMatchObject([{ op: "Gelu", domain: "com.microsoft", lacks: "rule" }])
    expect(found.ops.find(({ op }) => op === "Gelu")).toMatchObject({ isReadable: false, hasGradient: false })
  })

  test("are neither arithmetic on shapes nor comparisons", async () => {
    expect((await inspect(networks.tokenNetwork(1))).obstacles).toEqual([])
    const w = new NetworkWriter()
    w.initializers.zero = floatTensor([], Float32Array.of(0))
    const scores = w.linear("fc", "x", [3, 4])
    const mask = w.op("Greater", [scores, "zero"], "mask")
    w.op("Where", [mask, scores, "zero"], "y")
    w.op("ArgMax", [scores], "class")
    const model = w.model([{ name: "x", shape: ["n", 3] }], ["y", "class"])
    expect((await inspect(model)).obstacles).toEqual([])
  })

  test("are not ops before the first parameter", async () => {
    const w = new NetworkWriter()
    w.op("Round", ["x"], "rounded")
    w.linear("y", "rounded", [3, 2])
    expect((await inspect(w.model([{ name: "x", shape: ["n", 3] }], ["y"]))).obstacles).toEqual([])
  })
})
