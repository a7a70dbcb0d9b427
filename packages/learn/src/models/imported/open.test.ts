import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createNetworkBuilder, createRng, floatTensor, Graph, type Shape, sizeOf } from "@learnloss/engine"
import { type WrittenModel, type WrittenNode, writeOnnxModel } from "@learnloss/engine/testing"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type ImportedSettings, openImported } from "./open.ts"

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "learnloss-open-"))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const rng = createRng("open")
const random = (...shape: Shape) =>
  floatTensor(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()),
  )

const convolution: WrittenNode = { op: "Conv", inputs: ["images", "conv.weight"], outputs: ["map"], name: "conv" }
const head: readonly WrittenNode[] = [
  { op: "GlobalAveragePool", inputs: ["map"], outputs: ["average"] },
  { op: "Flatten", inputs: ["average"], outputs: ["features"] },
  { op: "Gemm", inputs: ["features", "fc.weight", "fc.bias"], outputs: ["logits"], attributes: { transB: 1 } },
]

function network(changes: Partial<WrittenModel> = {}): WrittenModel {
  return {
    opset: 17,
    inputs: [{ name: "images", shape: ["n", 3, 8, 8] }],
    initializers: { "conv.weight": random(4, 3, 3, 3), "fc.weight": random(5, 4), "fc.bias": random(5) },
    nodes: [convolution, ...head],
    outputs: ["logits"],
    ...changes,
  }
}

const settings = { taps: null, output: null, newHead: false, freezeNorm: false, freeze: [] }

function open(written: WrittenModel, changes: Partial<ImportedSettings> = {}, size = 8, classes = 5) {
  const onnx = join(root, "net.onnx")
  writeFileSync(onnx, writeOnnxModel(written))
  const imageShape = { channels: 3, height: size, width: size }
  return openImported({ ...settings, ...changes, onnx }, { imageShape, classes })
}

/** The network in a training graph for a batch. */
async function built(written: WrittenModel, changes: Partial<ImportedSettings> = {}, batch = 6) {
  const { model, ...about } = await open(written, changes)
  const graph = new Graph()
  const b = createNetworkBuilder(graph, "inputs")
  return {
    ...about,
    names: () => b.specs.map(({ name }) => name),
    ...model.build(b, [graph.input("images", "float32", [batch, 3, 8, 8])]),
  }
}

describe("a network from a file", () => {
  it("gives logits, taps and an embedding for any batch", async () => {
    const { output, taps, embedding, notes } = await built(network())
    expect(output.shape).toEqual([6, 5])
    expect(taps.map(({ shape }) => shape)).toEqual([[6, 4, 6, 6]])
    expect(embedding.shape).toEqual([6, 4])
    expect(notes).toEqual([])
  })

  it.each(["Softmax", "LogSoftmax"])("loses a final %s, also before a change of shape, and says so", async (op) => {
    const ending: WrittenNode[] = [
      { op, inputs: ["logits"], outputs: ["p"], attributes: { axis: 1 } },
      { op: "Identity", inputs: ["p"], outputs: ["probabilities"] },
    ]
    const { output, notes } = await built(
      network({ nodes: [convolution, ...head, ...ending], outputs: ["probabilities"] }),
    )
    expect(notes).toEqual([expect.stringContaining(`final ${op} is cut off`)])
    const maker = output.graph.producerOf(output)
    expect(["Add", "Gemm", "Reshape"]).toContain(maker?.op)
  })

  it("takes images with their channels last, and rows of pixels", async () => {
    const transposed: WrittenNode = {
      op: "Transpose",
      inputs: ["nhwc"],
      outputs: ["images"],
      attributes: { perm: [0, 3, 1, 2] },
    }
    const last = network({
      inputs: [{ name: "nhwc", shape: ["n", 8, 8, 3] }],
      nodes: [transposed, convolution, ...head],
    })
    expect((await built(last)).output.shape).toEqual([6, 5])
    const rows = network({
      inputs: [{ name: "rows", shape: ["n", 192] }],
      initializers: { "fc.weight": random(5, 192), "fc.bias": random(5) },
      nodes: [{ op: "Gemm", inputs: ["rows", "fc.weight", "fc.bias"], outputs: ["logits"], attributes: { transB: 1 } }],
    })
    expect((await built(rows, { taps: ["logits"] })).output.shape).toEqual([6, 5])
  })

  it("gets a new last layer for the classes of the data, which trains in place of the file's", async () => {
    const { output, names } = await built(network(), { newHead: true })
    expect(output.shape).toEqual([6, 5])
    expect(names()).toEqual(["conv.weight", "newHead.weight", "newHead.bias"])
  })

  it("may end at an earlier value", async () => {
    const wide = network({
      initializers: { "conv.weight": random(5, 3, 3, 3), "fc.weight": random(7, 5), "fc.bias": random(7) },
    })
    const { output } = await built(wide, { output: "average", taps: ["map"] })
    expect(output.shape).toEqual([6, 5])
  })

  const rounding: WrittenNode[] = [
    { op: "Conv", inputs: ["images", "conv.weight"], outputs: ["c"] },
    { op: "Round", inputs: ["c"], outputs: ["map"], name: "rounding" },
  ]
  it("is refused where an op ends the gradient before a trained parameter, with op, node and the ways out", async () => {
    const broken = network({ nodes: [...rounding, ...head] })
    await expect(open(broken)).rejects.toThrow(/Round node "rounding".*conv\.weight.*--freeze.*--output.*--taps/s)
    expect((await open(broken, { freeze: ["conv.weight"] })).model.frozen?.outputs).toHaveLength(2)
    await expect(open(broken, { taps: ["c"] })).rejects.toThrow(/rounding/)
  })

  it.each<[string, Partial<WrittenModel>, Partial<ImportedSettings>, number, number, RegExp]>([
    ["images of another size", {}, {}, 16, 5, /ONNX_INPUT|3 x 16 x 16.*\[n, 3, 8, 8\]/],
    ["other classes", {}, {}, 8, 3, /3 classes.*--new-head/],
    ["a misspelt output", {}, { output: "logit" }, 8, 5, /Did you mean logits/],
    ["a misspelt tap", {}, { taps: ["mapp"] }, 8, 5, /Did you mean "map"/],
    [
      "a tap without a batch",
      {
        nodes: [convolution, ...head, { op: "Identity", inputs: ["fc.bias"], outputs: ["flat"] }],
        outputs: ["logits", "flat"],
      },
      { taps: ["flat"] },
      8,
      5,
      /without a batch/,
    ],
    ["a pattern that matches nothing", {}, { freeze: ["layer*"] }, 8, 5, /layer\*.*conv\.weight/],
    [
      "a second input",
      {
        inputs: [
          { name: "images", shape: ["n", 3, 8, 8] },
          { name: "mask", shape: ["n", 4] },
        ],
        nodes: [convolution, ...head, { op: "Identity", inputs: ["mask"], outputs: ["m"] }],
        outputs: ["logits", "m"],
      },
      {},
      8,
      5,
      /images, mask/,
    ],
  ])("is refused with %s", async (_, changes, chosen, size, classes, reason) => {
    await expect(open(network(changes), chosen, size, classes)).rejects.toThrow(reason)
  })
})
