import { describe, expect, test } from "vitest"
import { floatTensor } from "../graph/tensor.ts"
import { type WrittenModel, writeOnnxModel } from "../testing/onnx-writer.ts"
import { findEmbedding, findFinalSoftmax, mainOutput } from "./endings.ts"
import { foldedNorm } from "./folded-norm.ts"
import { findLayouts, layoutOf } from "./layouts.ts"
import { networks, tokenNetwork } from "./networks.test-suite.ts"
import { probeShapes } from "./probe.ts"
import { decodeOnnxModel } from "./read-model.ts"
import { suggestTaps } from "./taps.ts"

const open = (model: WrittenModel) => decodeOnnxModel(writeOnnxModel(model), "test.onnx")
const tapsOf = async (model: WrittenModel) => {
  const file = open(model)
  return suggestTaps(file, await probeShapes(file)).map(({ name, shape, layout }) => [name, [...shape], layout])
}

describe("suggested taps", () => {
  test("are the last feature map of each resolution, before it is pooled", async () => {
    expect(await tapsOf(networks.plainCnn())).toEqual([
      ["relu1.2", [2, 4, 16, 16], "channels-first"],
      ["relu2.2", [2, 8, 8, 8], "channels-first"],
      ["relu3.2", [2, 12, 4, 4], "channels-first"],
    ])
  })

  test("stand after the sum and activation that end a stage", async () => {
    expect(await tapsOf(networks.residualNetwork())).toEqual([
      ["layer1.2.out", [2, 4, 16, 16], "channels-first"],
      ["layer2.2.out", [2, 8, 8, 8], "channels-first"],
      ["layer3.2.out", [2, 12, 4, 4], "channels-first"],
    ])
  })

  test("leave out gates and what was pooled to one position", async () => {
    expect(await tapsOf(networks.mobileNetwork())).toEqual([
      ["block1.expand.clip", [2, 8, 8, 8], "channels-first"],
      ["head.clip", [2, 16, 4, 4], "channels-first"],
    ])
  })

  test.each([
    [8, [1, 3, 5, 7]],
    [12, [2, 5, 8, 11]],
    [6, [1, 2, 4, 5]],
    [3, [0, 1, 2]],
    [1, [0]],
  ])("of a network of tokens with %d blocks are ends of blocks at even distances", async (blocks, chosen) => {
    const expected = chosen.map((block) => [`block${block}.out`, [2, 17, 8], "channels-last"])
    expect(await tapsOf(tokenNetwork(blocks))).toEqual(expected)
  })

  test("have their channels last where the file has them, and ignore padding", async () => {
    expect(await tapsOf(networks.channelsLastNetwork())).toEqual([
      ["stage1", [2, 16, 16, 4], "channels-last"],
      ["stage2", [2, 9, 9, 8], "channels-last"],
    ])
  })

  test("of a network on sequences are maps of one dimension", async () => {
    expect(await tapsOf(networks.sequenceCnn())).toEqual([
      ["relu0", [2, 4, 16], "channels-first"],
      ["relu1", [2, 6, 8], "channels-first"],
      ["relu2", [2, 8, 4], "channels-first"],
    ])
  })

  test("of a network without feature maps are its hidden activations", async () => {
    expect(await tapsOf(networks.mlp())).toEqual([
      ["relu0", [2, 8], "channels-first"],
      ["relu1", [2, 8], "channels-first"],
      ["relu2", [2, 8], "channels-first"],
    ])
  })

  test("are the decoder's in a network that goes down and up, and never its scores", async () => {
    expect(await tapsOf(networks.uNet())).toEqual([
      ["bottom.relu", [2, 8, 4, 4], "channels-first"],
      ["up2.relu", [2, 6, 8, 8], "channels-first"],
      ["up1.relu", [2, 4, 16, 16], "channels-first"],
    ])
  })

  test("are none in a network without layers", async () => {
    const model: WrittenModel = {
      opset: 17,
      inputs: [{ name: "x", shape: ["n", 3, 4, 4] }],
      nodes: [{ op: "Relu", inputs: ["x"], outputs: ["y"] }],
      outputs: ["y"],
    }
    expect(await tapsOf(model)).toEqual([])
  })
})

describe("layouts", () => {
  test("follow transpositions and elementwise ops", async () => {
    const file = open(networks.channelsLastNetwork())
    const layouts = findLayouts(file, await probeShapes(file))
    const of = (name: string) => layouts.get(name)
    expect(["to first", "relu1", "conv2"].map(of)).toEqual(new Array(3).fill("channels-first"))
    expect(["x", "to last", "scaled", "stage1", "padded", "stage2"].map(of)).toEqual(new Array(6).fill("channels-last"))
  })

  test("of attention maps are unknown, and of tokens known", async () => {
    const file = open(networks.tokenNetwork(1))
    const shapes = await probeShapes(file)
    const layouts = findLayouts(file, shapes)
    expect(layouts.get("block0.attention")).toBe(undefined)
    expect(layouts.get("block0.out")).toBe("channels-last")
    expect(layouts.get("patches")).toBe("channels-first")
    expect(layoutOf(file, shapes)("block0.attention")).toBe("channels-first")
    expect(layoutOf(file, shapes)("block0.fc1")).toBe("channels-last")
  })
})

describe("the end of a network", () => {
  test.each([
    ["plainCnn", "features", "Softmax"],
    ["residualNetwork", "features", undefined],
    ["mobileNetwork", "features", undefined],
    ["tokenNetwork", "features", undefined],
    ["channelsLastNetwork", "features", "Softmax"],
    ["sequenceCnn", "features", undefined],
    ["mlp", "relu2", "LogSoftmax"],
    ["uNet", "up1.relu", "Sigmoid"],
  ] as const)("of %s: the last layer reads %s", (name, embedding, softmax) => {
    const file = open(networks[name]())
    expect(findEmbedding(file)).toBe(embedding)
    expect(findFinalSoftmax(file)?.op).toBe(softmax)
  })

  test("is found behind shapes and casts, and for another output too", () => {
    const file = open({
      opset: 17,
      inputs: [{ name: "x", shape: ["n", 4] }],
      initializers: networks.mlp().initializers ?? {},
      nodes: [
        { op: "ArgMax", inputs: ["x"], outputs: ["class"] },
        { op: "Relu", inputs: ["x"], outputs: ["hidden"] },
        { op: "Gemm", inputs: ["hidden", "fc1.weight"], outputs: ["g"] },
        { op: "Softmax", inputs: ["g"], outputs: ["s"], name: "last" },
        { op: "Cast", inputs: ["s"], outputs: ["c"], attributes: { to: 1 } },
        { op: "Flatten", inputs: ["c"], outputs: ["y"] },
        { op: "Tanh", inputs: ["hidden"], outputs: ["other"] },
      ],
      outputs: [{ name: "class", dtype: "int64" }, "y", "other"],
    })
    expect(mainOutput(file)).toBe("y")
    expect(findEmbedding(file)).toBe("hidden")
    expect(findFinalSoftmax(file)).toEqual({ op: "Softmax", node: "last", input: "g", output: "s" })
    expect(findEmbedding(file, "other")).toBe("other")
    expect(findFinalSoftmax(file, "other")).toBe(undefined)
  })

  test("is a convolution whose channels are averaged to classes", () => {
    const { inputs, nodes, initializers = {} } = networks.plainCnn()
    const until = nodes.findIndex(({ outputs }) => outputs.includes("features")) + 1
    const file = open({ opset: 17, inputs, initializers, nodes: nodes.slice(0, until), outputs: ["features"] })
    expect(findEmbedding(file)).toBe("relu3.1")
  })
})

describe("folded normalisation", () => {
  const renamed = (model: WrittenModel, rename: (name: string) => string): WrittenModel => ({
    ...model,
    initializers: Object.fromEntries(
      Object.entries(model.initializers ?? {}).map(([name, tensor]) => [rename(name), tensor]),
    ),
    nodes: model.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((name) => (model.initializers?.[name] === undefined ? name : rename(name))),
    })),
  })

  test("shows by weights that lost their names", () => {
    const numbers = new Map<string, number>()
    const number = (name: string) => {
      if (!name.startsWith("conv")) return name
      numbers.set(name, numbers.get(name) ?? 190 + numbers.size)
      return `onnx::Conv_${numbers.get(name)}`
    }
    expect(foldedNorm(open(renamed(networks.plainCnn(), number)))).toBe("yes")
    const plain = (name: string) => number(name).replace("onnx::Conv_", "")
    expect(foldedNorm(open(renamed(networks.plainCnn(), plain)))).toBe("yes")
  })

  test("shows beside norms that no convolution stands before", () => {
    const model = renamed(networks.plainCnn(), (name) =>
      name.startsWith("conv2.1.") ? `onnx::Conv_${name.endsWith("weight") ? 7 : 8}` : name,
    )
    const initializers = { ...model.initializers, scale: floatTensor([3]) }
    const norm = { op: "BatchNormalization", inputs: ["x", ...new Array(4).fill("scale")], outputs: ["normed"] }
    expect(foldedNorm(open({ ...model, initializers, nodes: [norm, ...model.nodes] }))).toBe("yes")
  })

  test("is not likely beside normalisation that is written out", () => {
    const model = networks.plainCnn()
    const nodes = [
      { op: "ReduceMean", inputs: ["x"], outputs: ["variance"] },
      { op: "Sqrt", inputs: ["variance"], outputs: ["deviation"] },
      { op: "Div", inputs: ["x", "deviation"], outputs: ["normed"] },
    ]
    expect(foldedNorm(open({ ...model, nodes: [...nodes, ...model.nodes] }))).toBe("no")
  })

  test("is likely where all convolutions have biases and nothing normalises", () => {
    expect(foldedNorm(open(networks.plainCnn()))).toBe("maybe")
    expect(foldedNorm(open(networks.sequenceCnn()))).toBe("no")
  })

  test("is not there beside the normalisation itself, or without convolutions", () => {
    expect(foldedNorm(open(networks.residualNetwork()))).toBe("no")
    expect(foldedNorm(open(networks.tokenNetwork(1)))).toBe("no")
    expect(foldedNorm(open(networks.mlp()))).toBe("no")
  })
})
