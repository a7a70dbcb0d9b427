import { describe, expect, test } from "vitest"
import { floatTensor, intTensor } from "../graph/tensor.ts"
import { type WrittenModel, writeOnnxModel } from "../testing/onnx-writer.ts"
import { networks } from "./networks.test-suite.ts"
import { type ProbeOptions, probeShapes } from "./probe.ts"
import { decodeOnnxModel } from "./read-model.ts"

const probe = (model: WrittenModel, options?: ProbeOptions) =>
  probeShapes(decodeOnnxModel(writeOnnxModel(model), "test.onnx"), options)

const x = (...shape: (number | string | null)[]) => ({ name: "x", shape })

describe("probed shapes", () => {
  test("are those of every value, with the axis that grows with the batch", async () => {
    const shapes = await probe(networks.tokenNetwork(1))
    expect(shapes.batch).toBe("dynamic")
    expect(shapes.batchSize).toBe(2)
    expect(shapes.get("x")).toEqual({ dataType: "float32", shape: [2, 3, 16, 16], batchAxis: 0 })
    expect(shapes.get("block0.q.heads")).toEqual({ dataType: "float32", shape: [2, 2, 17, 4], batchAxis: 0 })
    expect(shapes.get("shape of x")).toEqual({ dataType: "int64", shape: [4], batchAxis: undefined })
    expect(shapes.get("position")).toEqual({ dataType: "float32", shape: [1, 17, 8], batchAxis: undefined })
    expect((await probe(networks.tokenNetwork(1), { batch: 5 })).get("y")?.shape).toEqual([5, 5])
  })

  test("find a batch that lies on another axis", async () => {
    const shapes = await probe({
      opset: 17,
      inputs: [x("n", 3)],
      nodes: [{ op: "Transpose", inputs: ["x"], outputs: ["t"] }],
      outputs: ["t"],
    })
    expect(shapes.get("t")).toEqual({ dataType: "float32", shape: [3, 2], batchAxis: 1 })
  })

  test("of a file with a fixed batch are found for others where the graph allows", async () => {
    const { inputs: _, ...rest } = networks.residualNetwork()
    const shapes = await probe({ ...rest, inputs: [x(1, 3, 16, 16)], outputs: [{ name: "y", shape: [1, 5] }] })
    expect(shapes.batch).toBe("dynamic")
    expect(shapes.get("y")).toEqual({ dataType: "float32", shape: [2, 5], batchAxis: 0 })
  })

  test.each([
    ["fails with another batch", [3, 12]],
    ["mixes the samples of another batch", [3, -1]],
  ])("of a file whose shapes hold its batch, which %s, are those of its own", async (_, shape) => {
    const shapes = await probe({
      opset: 17,
      inputs: [x(3, 2, 6)],
      initializers: { shape: intTensor([2], shape) },
      nodes: [
        { op: "Reshape", inputs: ["x", "shape"], outputs: ["flat"] },
        { op: "ReduceMax", inputs: ["flat"], outputs: ["y"], attributes: { axes: [1] } },
      ],
      outputs: ["y", "flat"],
    })
    expect(shapes.batch).toBe("fixed")
    expect(shapes.batchSize).toBe(3)
    expect(shapes.get("flat")).toEqual({ dataType: "float32", shape: [3, 12], batchAxis: 0 })
  })

  test("leave out sequences, and what they are made into is there", async () => {
    const shapes = await probe({
      opset: 17,
      inputs: [x("n", 3)],
      nodes: [
        { op: "SequenceConstruct", inputs: ["x", "x"], outputs: ["list"] },
        { op: "Identity", inputs: ["list"], outputs: ["same list"] },
        { op: "ConcatFromSequence", inputs: ["same list"], outputs: ["y"], attributes: { axis: 1 } },
      ],
      outputs: ["y"],
    })
    expect(shapes.has("list")).toBe(false)
    expect(shapes.has("same list")).toBe(false)
    expect(shapes.get("y")?.shape).toEqual([2, 6])
  })

  test("tell the types of values of any kind, and feed inputs of any type", async () => {
    const types = ["float16", "float64", "int64", "int32", "uint8", "bool"] as const
    const shapes = await probe({
      opset: 17,
      inputs: types.map((dtype) => ({ name: dtype, shape: ["n", 2], dtype })),
      nodes: [
        ...types.map((type) => ({ op: "Identity", inputs: [type], outputs: [`${type} value`] })),
        { op: "Cast", inputs: ["int64"], outputs: ["text"], attributes: { to: 8 } },
      ],
      outputs: ["float16 value"],
    })
    for (const type of types) expect(shapes.get(`${type} value`)).toMatchObject({ dataType: type, shape: [2, 2] })
    expect(shapes.get("text")?.dataType).toBe("string")
  })

  test("of values without elements or axes are found too", async () => {
    const shapes = await probe({
      opset: 17,
      inputs: [x("n", 3)],
      initializers: { none: intTensor([0], []), zero: intTensor([], [0]) },
      nodes: [
        { op: "Gather", inputs: ["x", "none"], outputs: ["empty"], attributes: { axis: 1 } },
        { op: "ReduceMean", inputs: ["x"], outputs: ["mean"], attributes: { keepdims: 0 } },
      ],
      outputs: ["mean"],
    })
    expect(shapes.get("empty")).toEqual({ dataType: "float32", shape: [2, 0], batchAxis: 0 })
    expect(shapes.get("mean")).toEqual({ dataType: "float32", shape: [], batchAxis: undefined })
  })

  test("need the caller's sizes where the file leaves axes open", async () => {
    const { inputs: _, ...rest } = networks.residualNetwork()
    const model = { ...rest, inputs: [x("n", 3, "height", "width")] }
    await expect(probe(model)).rejects.toMatchObject({
      code: "ONNX_SHAPE_OPEN",
      message: expect.stringContaining("[n, 3, height, width]"),
    })
    const shapes = await probe(model, { inputShapes: { x: [1, 3, 32, 16] } })
    expect(shapes.get("layer3.2.out")?.shape).toEqual([2, 12, 8, 4])
    await expect(probe({ ...rest, inputs: [{ name: "x" }] })).rejects.toMatchObject({ code: "ONNX_SHAPE_OPEN" })
  })

  test("use the file's own statistics, so that networks exported for training run", async () => {
    const flag = { dtype: "bool", shape: [], data: Uint8Array.of(1) } as const
    const ones = floatTensor([3], Float32Array.of(1, 1, 1))
    const shapes = await probe({
      opset: 17,
      inputs: [x("n", 3, 4, 4)],
      initializers: { ones, flag, ratio: floatTensor([]) },
      nodes: [
        {
          op: "BatchNormalization",
          inputs: ["x", "ones", "ones", "ones", "ones"],
          outputs: ["normed", "mean", "variance"],
          attributes: { training_mode: 1 },
        },
        { op: "Dropout", inputs: ["normed", "ratio", "flag"], outputs: ["y", "mask"] },
      ],
      outputs: ["y"],
    })
    expect(shapes.get("y")?.shape).toEqual([2, 3, 4, 4])
    expect(shapes.get("mask")).toMatchObject({ dataType: "bool", shape: [2, 3, 4, 4] })
    expect(shapes.has("mean")).toBe(false)
  })

  test("cannot be had of what ONNX Runtime does not run", async () => {
    const model: WrittenModel = {
      opset: 17,
      opsets: { "org.example": 1 },
      inputs: [x("n", 3)],
      nodes: [{ op: "Special", domain: "org.example", inputs: ["x"], outputs: ["y"] }],
      outputs: ["y"],
    }
    await expect(probe(model)).rejects.toMatchObject({
      code: "ONNX_RUN",
      message: expect.stringMatching(/custom ops \(org\.example\.Special\): .*Export the network without custom ops/s),
    })
    const misshapen: WrittenModel = {
      ...model,
      initializers: { w: floatTensor([9, 4]) },
      nodes: [{ op: "MatMul", inputs: ["x", "w"], outputs: ["y"] }],
    }
    await expect(probe(misshapen)).rejects.toMatchObject({
      code: "ONNX_RUN",
      message: expect.not.stringContaining("custom"),
    })
    const text = { ...model, inputs: [{ name: "x", shape: ["n"], dtype: "string" as const }] }
    await expect(probe(text)).rejects.toMatchObject({ code: "ONNX_DTYPE" })
  })
})
