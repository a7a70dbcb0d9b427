import { describe, expect, test } from "vitest"
import { relativeDifference } from "../../graph/compare.ts"
import { Graph } from "../../graph/graph.ts"
import { floatTensor, intTensor, type Shape, sizeOf, type Tensor } from "../../graph/tensor.ts"
import { createNetworkBuilder } from "../../nn/network.ts"
import { createRng } from "../../random/rng.ts"
import { compileModel } from "../../runtime/evaluation.ts"
import { exportModel } from "../../runtime/export-model.ts"
import type { WrittenModel, WrittenNode } from "../../testing/onnx-writer.ts"
import { writeOnnxModel } from "../../testing/onnx-writer.ts"
import type { OnnxModel } from "../model.ts"
import { probeShapes } from "../probe.ts"
import { decodeOnnxModel } from "../read-model.ts"
import { type ImportOptions, importNetwork } from "./network.ts"

const rng = createRng("foreign")
const random = (...shape: Shape) =>
  floatTensor(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()),
  )

const base = { opset: 17, inputs: [{ name: "x", shape: ["n", 3, 8, 8] }], outputs: ["y"] } satisfies Omit<
  WrittenModel,
  "nodes"
>
const decoded = (written: WrittenModel) => decodeOnnxModel(writeOnnxModel(written), "net.onnx")

/** Imports a file whole, its unknown nodes kept. */
async function importer(model: OnnxModel, options: Partial<ImportOptions> = {}) {
  const probed = await probeShapes(model)
  const foreign: ImportOptions["foreign"] = (name, batch) => {
    const value = probed.get(name)
    if (value?.batchAxis === undefined) return value
    const rows = (value.shape[value.batchAxis] as number) / probed.batchSize
    return { ...value, shape: value.shape.with(value.batchAxis, rows * batch) }
  }
  return (batch: number, source: "inputs" | ReadonlyMap<string, Tensor> = "inputs") => {
    const graph = new Graph()
    const b = createNetworkBuilder(graph, source)
    const given = new Map([["x", graph.input("x", "float32", [batch, 3, 8, 8])]])
    const values = importNetwork(b, model, {
      wanted: ["y"],
      given,
      batch,
      isFrozen: () => true,
      foreign,
      ...options,
    })
    return { graph, b, y: values.get("y")! }
  }
}

/** What a file computes and what is exported of it, imported whole, for several batches. */
async function requireSame(written: WrittenModel): Promise<OnnxModel> {
  const build = await importer(decoded(written))
  const bytes = exportModel((batch) => {
    const { graph, y } = build(batch)
    return { graph, outputs: { y } }
  })
  const [original, exported] = [
    await compileModel(writeOnnxModel(written), { threads: 1 }),
    await compileModel(bytes, { threads: 1 }),
  ]
  for (const batch of [1, 5]) {
    const x = random(batch, 3, 8, 8)
    const [wanted, got] = [(await original.run({ x })).y!, (await exported.run({ x })).y!]
    expect(got.shape).toEqual(wanted.shape)
    expect(relativeDifference(got.data as Float32Array, wanted.data as Float32Array)).toBeLessThan(1e-6)
  }
  await original.release()
  await exported.release()
  return decodeOnnxModel(bytes, "exported.onnx")
}

const pool: WrittenNode = {
  op: "LpPool",
  inputs: ["x"],
  outputs: ["y"],
  attributes: { kernel_shape: [2, 2], strides: [2, 2], p: 3 },
}

describe("a node without a rule that nothing is trained through", () => {
  test("is written as it was, for any number of samples", async () => {
    const exported = await requireSame({ ...base, nodes: [pool] })
    expect(exported.nodes.at(-1)).toMatchObject({ op: "LpPool", domain: "", outputs: ["y"] })
    expect(exported.nodes.at(-1)!.attributes).toEqual(decoded({ ...base, nodes: [pool] }).nodes[0]!.attributes)
  })

  test("keeps its domain and that domain's version", async () => {
    const exported = await requireSame({
      ...base,
      opsets: { "com.microsoft": 1 },
      initializers: { bias: random(8) },
      nodes: [{ op: "FastGelu", domain: "com.microsoft", inputs: ["x", "bias"], outputs: ["y"] }],
    })
    expect(exported.nodes.at(-1)).toMatchObject({ op: "FastGelu", domain: "com.microsoft" })
    expect(exported.opsets.get("com.microsoft")).toBe(1)
  })

  test("keeps inputs and outputs at their places where others are left out between them", async () => {
    const exported = await requireSame({
      ...base,
      initializers: {
        weights: random(1, 16, 8),
        steps: random(1, 16, 4),
        peepholes: random(1, 12),
        flat: intTensor([3], [3, -1, 8]),
        back: intTensor([2], [-1, 32]),
      },
      nodes: [
        { op: "Reshape", inputs: ["x", "flat"], outputs: ["rows"] },
        {
          op: "LSTM",
          inputs: ["rows", "weights", "steps", "", "", "", "", "peepholes"],
          outputs: ["", "", "cell"],
          attributes: { hidden_size: 4, activations: ["Sigmoid", "Tanh", "Relu"], clip: { float: 2.5 } },
        },
        { op: "Reshape", inputs: ["cell", "back"], outputs: ["y"] },
      ],
    })
    const kept = exported.nodes.find(({ op }) => op === "LSTM")!
    expect(kept.inputs.map((name) => name !== "")).toEqual([true, true, true, false, false, false, false, true])
    expect(kept.outputs.map((name) => name !== "")).toEqual([false, false, true])
    expect(kept.attributes.get("activations")).toEqual({ kind: "strings", value: ["Sigmoid", "Tanh", "Relu"] })
  })

  test("may read a constant for each sample, such as a first state of zeros or a frozen token", async () => {
    await requireSame({
      ...base,
      initializers: {
        weights: random(1, 12, 8),
        steps: random(1, 12, 4),
        token: random(1, 1, 4),
        flat: intTensor([3], [8, -1, 8]),
        back: intTensor([3], [-1, 3, 4]),
        one: intTensor([1], [1]),
        rest: intTensor([2], [1, 4]),
        width: intTensor([1], [4]),
      },
      nodes: [
        { op: "Reshape", inputs: ["x", "flat"], outputs: ["rows"] },
        { op: "Shape", inputs: ["rows"], outputs: ["count"], attributes: { start: 1, end: 2 } },
        { op: "Concat", inputs: ["one", "count", "width"], outputs: ["size"], attributes: { axis: 0 } },
        { op: "ConstantOfShape", inputs: ["size"], outputs: ["start"] },
        {
          op: "GRU",
          inputs: ["rows", "weights", "steps", "", "", "start"],
          outputs: ["", "state"],
          attributes: { hidden_size: 4 },
        },
        { op: "Reshape", inputs: ["state", "back"], outputs: ["states"] },
        { op: "Shape", inputs: ["x"], outputs: ["samples"], attributes: { start: 0, end: 1 } },
        { op: "Concat", inputs: ["samples", "rest"], outputs: ["tokens"], attributes: { axis: 0 } },
        { op: "Expand", inputs: ["token", "tokens"], outputs: ["each"] },
        { op: "Concat", inputs: ["each", "states"], outputs: ["y"], attributes: { axis: 1 } },
      ],
    })
  })

  test("keeps tensors in its attributes", async () => {
    const tensor = (...data: readonly number[]) => floatTensor([data.length], Float32Array.from(data))
    const exported = await requireSame({
      ...base,
      opsets: { "ai.onnx.ml": 4 },
      nodes: [
        { op: "Cast", inputs: ["x"], outputs: ["whole"], attributes: { to: 7 } },
        {
          op: "LabelEncoder",
          domain: "ai.onnx.ml",
          inputs: ["whole"],
          outputs: ["y"],
          attributes: {
            keys_tensor: intTensor([3], [-1, 0, 1]),
            values_tensor: tensor(0.25, 4, -2.5),
            default_tensor: tensor(7),
          },
        },
      ],
    })
    const kept = exported.nodes.find(({ op }) => op === "LabelEncoder")!.attributes.get("values_tensor")
    expect(kept?.kind === "tensor" && kept.value.read()).toEqual(tensor(0.25, 4, -2.5))
  })

  test("raises the operator set of the whole file where its own is newer", async () => {
    const exported = await requireSame({
      ...base,
      opset: 20,
      initializers: {
        axes: intTensor([1], [1]),
        from: intTensor([1], [0]),
        to: intTensor([1], [2]),
        along: intTensor([1], [3]),
      },
      nodes: [
        // A grid that follows the batch: positions are what the first two channels hold.
        { op: "Transpose", inputs: ["x"], outputs: ["last"], attributes: { perm: [0, 2, 3, 1] } },
        { op: "Slice", inputs: ["last", "from", "to", "along"], outputs: ["grid"] },
        { op: "GridSample", inputs: ["x", "grid"], outputs: ["warped"], attributes: { mode: "linear" } },
        { op: "ReduceMean", inputs: ["warped", "axes"], outputs: ["mean"] },
        { op: "ReduceMax", inputs: ["warped", "axes"], outputs: ["most"] },
        { op: "Sub", inputs: ["most", "mean"], outputs: ["y"] },
      ],
    })
    expect(exported.opset).toBe(20)
    expect(exported.nodes.map(({ op }) => op)).toEqual(
      expect.arrayContaining(["GridSample", "ReduceMean", "ReduceMax"]),
    )
  })

  test("has said since opset 16 where the pixels of regions lie", async () => {
    await requireSame({
      ...base,
      opset: 13,
      initializers: { boxes: floatTensor([2, 4], Float32Array.of(0, 0, 5, 6, 1, 2, 7, 7)), of: intTensor([2], [0, 0]) },
      nodes: [
        {
          op: "RoiAlign",
          inputs: ["x", "boxes", "of"],
          outputs: ["regions"],
          attributes: { output_height: 2, output_width: 2, sampling_ratio: 2 },
        },
        { op: "ReduceMean", inputs: ["regions"], outputs: ["mean"], attributes: { keepdims: 1 } },
        { op: "Add", inputs: ["x", "mean"], outputs: ["y"] },
      ],
    })
  })

  test("may also be one whose form its rule does not know", async () => {
    const exported = await requireSame({
      ...base,
      initializers: { solid: intTensor([5], [0, 3, 2, 4, 8]) },
      nodes: [
        { op: "Reshape", inputs: ["x", "solid"], outputs: ["cubes"] },
        { op: "AveragePool", inputs: ["cubes"], outputs: ["y"], attributes: { kernel_shape: [2, 2, 3] } },
      ],
    })
    expect(exported.nodes.at(-1)).toMatchObject({ op: "AveragePool" })
  })

  test("is refused behind something that is trained, and where nobody tells what its values are", async () => {
    const behind = decoded({
      ...base,
      initializers: { weight: random(3, 3, 1, 1) },
      nodes: [
        { op: "Conv", inputs: ["x", "weight"], outputs: ["map"] },
        { ...pool, inputs: ["map"] },
      ],
    })
    const trained = await importer(behind, { isFrozen: () => false })
    const unknown = expect.objectContaining({ code: "ONNX_OP_UNKNOWN" })
    expect(() => trained(2)).toThrow(unknown)
    expect(() => trained(2, new Map([["weight", random(3, 3, 1, 1)]]))).toThrow(unknown)
    const untold = importer(behind, { foreign: undefined })
    await expect(untold.then((build) => build(2))).rejects.toThrow(unknown)
    expect((await importer(behind))(2).y.shape).toEqual([2, 3, 4, 4])
  })

  const branch = { inputs: [], nodes: [{ op: "Neg", inputs: ["x"], outputs: ["b"] }], outputs: ["b"] }
  test.each<[string, Partial<WrittenModel>, RegExp]>([
    [
      "one with graphs of its own",
      {
        initializers: { yes: { dataType: "bool", shape: [], rawData: Uint8Array.of(1) } },
        nodes: [
          {
            op: "If",
            inputs: ["yes"],
            outputs: ["y"],
            attributes: { then_branch: { graph: branch }, else_branch: { graph: branch } },
          },
        ],
      },
      /If node.*then_branch, which holds a graph/s,
    ],
    [
      "one that gives bytes",
      {
        nodes: [
          { op: "DynamicQuantizeLinear", inputs: ["x"], outputs: ["q", "scale", "zero"] },
          { op: "DequantizeLinear", inputs: ["q", "scale", "zero"], outputs: ["y"] },
        ],
      },
      /DynamicQuantizeLinear node.*"q" of uint8/s,
    ],
    [
      "one that gives as many rows as it finds",
      {
        nodes: [
          { op: "NonZero", inputs: ["x"], outputs: ["places"] },
          { op: "Cast", inputs: ["places"], outputs: ["y"], attributes: { to: 1 } },
        ],
      },
      /NonZero node.*depends on the data/s,
    ],
    [
      "one that meant something else in its opset",
      { opset: 12, nodes: [{ op: "Hardmax", inputs: ["x"], outputs: ["y"] }] },
      /Hardmax node.*before opset 13/s,
    ],
  ])("is refused where a file of ours cannot hold it: %s", async (_, changes, message) => {
    const build = await importer(decoded({ ...base, nodes: [], ...changes }))
    expect(() => build(2)).toThrow(expect.objectContaining({ code: "EXPORT_OP" }))
    expect(() => build(2)).toThrow(message)
  })
})
