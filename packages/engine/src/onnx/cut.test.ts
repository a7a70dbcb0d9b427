import { describe, expect, test } from "vitest"
import { floatTensor, intTensor, sizeOf, type Tensor } from "../graph/tensor.ts"
import { createRng } from "../random/rng.ts"
import { createSession } from "../runtime/ort.ts"
import { type WrittenModel, writeOnnxModel } from "../testing/onnx-writer.ts"
import { type CutOptions, cutModel } from "./cut.ts"
import { decodeOnnxModel } from "./read-model.ts"

function random(shape: readonly number[], name = "x"): Tensor {
  const rng = createRng(name)
  return floatTensor(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()),
  )
}

const cutOf = (model: WrittenModel, options: CutOptions) =>
  cutModel(decodeOnnxModel(writeOnnxModel(model), "test.onnx"), options)

async function run(bytes: Uint8Array, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  const session = await createSession(bytes, { threads: 1 })
  const results = await session.run(feeds)
  await session.release()
  return results
}

/** A convolution with a head that reads a second input. */
const twoInputs: WrittenModel = {
  opset: 17,
  irVersion: 3,
  inputs: [
    { name: "x", shape: [1, 3, 4, 4] },
    { name: "extra", shape: [1, 2] },
    { name: "kernel", shape: [2, 3, 1, 1] },
  ],
  initializers: { kernel: random([2, 3, 1, 1], "kernel"), head: random([4, 5], "head") },
  nodes: [
    { op: "Conv", inputs: ["x", "kernel"], outputs: ["c"] },
    { op: "Relu", inputs: ["c"], outputs: ["r"] },
    { op: "GlobalAveragePool", inputs: ["r"], outputs: ["g"] },
    { op: "Flatten", inputs: ["g"], outputs: ["f"] },
    { op: "Concat", inputs: ["f", "extra"], outputs: ["both"], attributes: { axis: 1 } },
    { op: "MatMul", inputs: ["both", "head"], outputs: ["y"] },
  ],
  outputs: [{ name: "y", shape: [1, 5] }],
}

describe("a cut model", () => {
  test("holds only what its outputs need and takes any batch", async () => {
    const bytes = cutOf(twoInputs, { outputs: [{ name: "r" }] })
    const cut = decodeOnnxModel(bytes, "cut")
    expect(cut.nodes.map(({ op }) => op)).toEqual(["Conv", "Relu"])
    expect([...cut.initializers.keys()]).toEqual(["kernel"])
    expect(cut.inputs).toEqual([{ name: "x", dataType: "float32", shape: ["batch", 3, 4, 4] }])
    expect(cut.outputs).toEqual([{ name: "r", dataType: undefined, shape: undefined }])
    expect((await run(bytes, { x: random([3, 3, 4, 4]) })).r?.shape).toEqual([3, 2, 4, 4])
  })

  test("keeps the file's batch where it is told to", () => {
    const bytes = cutOf(twoInputs, { outputs: [{ name: "r" }], batch: "fixed" })
    expect(decodeOnnxModel(bytes, "cut").inputs[0]?.shape).toEqual([1, 3, 4, 4])
  })

  test("computes what the whole file computes, several values at once and under other names", async () => {
    const feeds = { x: random([1, 3, 4, 4]), extra: random([1, 2], "extra") }
    const whole = await run(writeOnnxModel({ ...twoInputs, outputs: ["y", "r"] }), {
      ...feeds,
      kernel: random([2, 3, 1, 1], "kernel"),
    })
    const bytes = cutOf(twoInputs, {
      outputs: [{ name: "r" }, { name: "r", as: "tap" }, { name: "x", as: "input" }, { name: "y" }],
    })
    const cut = await run(bytes, feeds)
    expect(cut.r).toEqual(whole.r)
    expect(cut.tap).toEqual(whole.r)
    expect(cut.input).toEqual(feeds.x)
    expect(cut.y).toEqual(whole.y)
  })

  test("gives the length of a batch a name that no other axis has", () => {
    const model: WrittenModel = {
      opset: 11,
      inputs: [{ name: "x", shape: ["n", "batch"] }],
      nodes: [{ op: "Relu", inputs: ["x"], outputs: ["y"] }],
      outputs: ["y"],
    }
    const cut = decodeOnnxModel(cutOf(model, { outputs: [{ name: "y" }] }), "cut")
    expect(cut.inputs[0]?.shape).toEqual(["batch_", "batch"])
  })

  test.each([11, 13, 17, 18, 22])("averages any layout and rank over its positions in opset %d", async (opset) => {
    for (const [pool, shape] of [
      ["channels-first", [2, 3, 4, 5]],
      ["channels-last", [2, 4, 5, 3]],
      ["channels-first", [2, 3, 7]],
      ["channels-last", [2, 7, 3]],
      ["channels-first", [2, 3]],
      ["channels-last", [2, 3]],
      ["channels-first", [2, 3, 2, 2, 2]],
    ] as const) {
      const model: WrittenModel = {
        opset,
        inputs: [{ name: "x", shape: ["n", ...shape.slice(1)] }],
        nodes: [{ op: "Neg", inputs: ["x"], outputs: ["y"] }],
        outputs: ["y"],
      }
      const x = random(shape)
      const { mean } = await run(cutOf(model, { outputs: [{ name: "y", as: "mean", pool }] }), { x })
      const positions = sizeOf(shape) / 6
      const expected = Array.from({ length: 6 }, (_, row) => {
        const [sample, channel] = [Math.floor(row / 3), row % 3]
        let sum = 0
        for (let at = 0; at < positions; at++) {
          const offset = pool === "channels-first" ? channel * positions + at : at * 3 + channel
          sum -= x.data[sample * 3 * positions + offset] as number
        }
        return sum / positions
      })
      expect(mean?.shape).toEqual([2, 3])
      for (const [row, value] of expected.entries()) expect(mean?.data[row]).toBeCloseTo(value, 5)
    }
  })

  test("averages half-precision values as float32", async () => {
    const model: WrittenModel = {
      opset: 17,
      inputs: [{ name: "x", shape: ["n", 2, 3] }],
      nodes: [{ op: "Cast", inputs: ["x"], outputs: ["half"], attributes: { to: 10 } }],
      outputs: ["half"],
    }
    const bytes = cutOf(model, { outputs: [{ name: "half", as: "mean", pool: "channels-first" }] })
    const x = floatTensor([1, 2, 3], Float32Array.of(1, 2, 3, 4, 5, 6))
    expect((await run(bytes, { x })).mean).toEqual(floatTensor([1, 2], Float32Array.of(2, 5)))
  })

  test.each([
    ["stored", 17],
    ["a constant node", 17],
    ["stored", 13],
  ])("drops nothing and normalises by stored statistics: training flag %s, opset %d", async (flag, opset) => {
    const isTraining: Tensor = { dtype: "bool", shape: [], data: Uint8Array.of(1) }
    const model: WrittenModel = {
      opset,
      inputs: [{ name: "x", shape: ["n", 2] }],
      initializers: {
        scale: floatTensor([2], Float32Array.of(1, 2)),
        bias: floatTensor([2], Float32Array.of(0, 1)),
        mean: floatTensor([2], Float32Array.of(1, -1)),
        variance: floatTensor([2], Float32Array.of(4, 1)),
        ratio: floatTensor([], Float32Array.of(0.9)),
        ...(flag === "stored" ? { training: isTraining } : {}),
      },
      nodes: [
        ...(flag === "stored"
          ? []
          : [{ op: "Constant", inputs: [], outputs: ["training"], attributes: { value: isTraining } }]),
        {
          op: "BatchNormalization",
          inputs: ["x", "scale", "bias", "mean", "variance"],
          outputs: ["n", "newMean", "newVariance", ...(opset < 14 ? ["savedMean", "savedVariance"] : [])],
          attributes: { epsilon: { float: 0 }, ...(opset < 14 ? {} : { training_mode: 1 }) },
        },
        { op: "Dropout", inputs: ["n", "ratio", "training"], outputs: ["d", "mask"] },
      ],
      outputs: ["d"],
    }
    const bytes = cutOf(model, { outputs: [{ name: "d" }] })
    const x = floatTensor([2, 2], Float32Array.of(3, 0, 5, 1))
    expect((await run(bytes, { x })).d?.data).toEqual(Float32Array.of(1, 3, 2, 5))
    expect(() => cutOf(model, { outputs: [{ name: "newMean" }] })).toThrow(/newMean/)
  })

  test("keeps what bodies of If read from outside, and puts them into inference mode", async () => {
    const body = (op: string) => ({
      graph: {
        nodes: [
          { op, inputs: ["outer", "weight"], outputs: ["combined"] },
          { op: "Dropout", inputs: ["combined", "ratio", "training"], outputs: ["result"] },
        ],
        inputs: [],
        outputs: ["result"],
      },
    })
    const model: WrittenModel = {
      opset: 17,
      inputs: [
        { name: "x", shape: ["n", 2] },
        { name: "unused", shape: ["n", 2] },
      ],
      initializers: {
        weight: floatTensor([2], Float32Array.of(10, 20)),
        other: floatTensor([2]),
        ratio: floatTensor([], Float32Array.of(0.9)),
        training: { dtype: "bool", shape: [], data: Uint8Array.of(1) },
        zero: floatTensor([], Float32Array.of(0)),
      },
      nodes: [
        { op: "Neg", inputs: ["x"], outputs: ["outer"] },
        { op: "Add", inputs: ["unused", "other"], outputs: ["nobody"] },
        { op: "ReduceSum", inputs: ["x"], outputs: ["sum"], attributes: { keepdims: 0 } },
        { op: "Greater", inputs: ["sum", "zero"], outputs: ["positive"] },
        {
          op: "If",
          inputs: ["positive"],
          outputs: ["y"],
          attributes: { then_branch: body("Add"), else_branch: body("Mul") },
        },
      ],
      outputs: ["y", "nobody"],
    }
    const bytes = cutOf(model, { outputs: [{ name: "y" }] })
    const cut = decodeOnnxModel(bytes, "cut")
    expect(cut.inputs.map(({ name }) => name)).toEqual(["x"])
    expect([...cut.initializers.keys()].sort()).toEqual(["ratio", "weight", "zero"])
    expect((await run(bytes, { x: floatTensor([1, 2], Float32Array.of(1, 2)) })).y?.data).toEqual(
      Float32Array.of(9, 18),
    )
    expect((await run(bytes, { x: floatTensor([1, 2], Float32Array.of(-1, -2)) })).y?.data).toEqual(
      Float32Array.of(10, 40),
    )
  })

  test("refuses names that nothing makes, and two values of one name", () => {
    expect(() => cutOf(twoInputs, { outputs: [{ name: "BOTH" }] })).toThrow(
      expect.objectContaining({ code: "ONNX_VALUE_UNKNOWN", message: expect.stringContaining('"both"') }),
    )
    expect(() => cutOf(twoInputs, { outputs: [{ name: "elsewhere" }] })).toThrow(/learnloss model inspect/)
    for (const outputs of [
      [{ name: "r" }, { name: "r" }],
      [{ name: "r", as: "c" }],
      [{ name: "r", pool: "channels-first" as const }],
    ])
      expect(() => cutOf(twoInputs, { outputs })).toThrow(expect.objectContaining({ code: "ONNX_CUT" }))
  })

  test("keeps other domains' versions, and integers as inputs", async () => {
    const model: WrittenModel = {
      opset: 17,
      opsets: { "com.microsoft": 1 },
      inputs: [{ name: "ids", shape: [1, 2], dtype: "int64" }],
      initializers: { table: floatTensor([3, 1], Float32Array.of(5, 6, 7)) },
      nodes: [
        { op: "Gather", inputs: ["table", "ids"], outputs: ["rows"] },
        { op: "Gelu", domain: "com.microsoft", inputs: ["rows"], outputs: ["y"] },
      ],
      outputs: ["y"],
    }
    const bytes = cutOf(model, { outputs: [{ name: "rows" }, { name: "y" }] })
    expect((await run(bytes, { ids: intTensor([2, 2], [0, 1, 2, 0]) })).rows?.data).toEqual(Float32Array.of(5, 6, 7, 5))
  })
})
