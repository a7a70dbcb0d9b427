import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runConfigSchema } from "@learnloss/contract"
import {
  createNetworkBuilder,
  createRng,
  floatTensor,
  Graph,
  initializeParameters,
  sizeOf,
  type Tensor,
} from "@learnloss/engine"
import { type WrittenModel, type WrittenNode, writeOnnxModel } from "@learnloss/engine/testing"
import { afterAll, describe, expect, test } from "vitest"
import { openModel } from "../open-model.ts"
import { vggLayers } from "./vgg.ts"
import { readVggWeights } from "./vgg-weights.ts"

const folder = mkdtempSync(join(tmpdir(), "learnloss-vgg-"))
afterAll(() => rmSync(folder, { recursive: true }))
const rng = createRng("vgg weights")

/** Channels of the first convolution, where VGG-16 has 64: a file of 500 MB tells no more. */
const width = 2

function random(...shape: number[]): Tensor {
  return floatTensor(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => rng.float()),
  )
}

interface Variant {
  readonly isTransposed?: boolean
  readonly isNormalized?: boolean
  readonly movesFeatures?: boolean
  readonly convolutions?: number
}

/** A network of VGG-16's form as exporters write it. */
function network({ isTransposed = false, isNormalized = false, movesFeatures = false, convolutions = 13 }: Variant) {
  const initializers: Record<string, Tensor> = {}
  const nodes: WrittenNode[] = []
  let value = "input"
  const add = (op: string, inputs: readonly string[], attributes: WrittenNode["attributes"] = {}) => {
    const output = `value_${nodes.length}`
    nodes.push({ op, inputs: [value, ...inputs], outputs: [output], attributes })
    value = output
  }
  const weight = (name: string, ...shape: number[]) => {
    initializers[name] = random(...shape)
    return name
  }
  let count = 0
  for (const stage of vggLayers(width).stages) {
    for (const { name, channels, inputs } of stage) {
      if (count === convolutions) break
      count += 1
      const names = [
        weight(`features.${name}.weight`, channels, inputs, 3, 3),
        weight(`features.${name}.bias`, channels),
      ]
      add("Conv", names, { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
      if (isNormalized)
        add(
          "BatchNormalization",
          ["scale", "shift", "mean", "variance"].map((part) => weight(part + name, channels)),
        )
      add("Relu", [])
    }
    add("MaxPool", [], { kernel_shape: [2, 2], strides: [2, 2] })
  }
  if (movesFeatures) add("Transpose", [], { perm: [0, 2, 3, 1] })
  add("Flatten", [])
  for (const [position, inputs, outputs] of [
    [0, 8 * width * 49, 64 * width],
    [3, 64 * width, 64 * width],
    [6, 64 * width, 10],
  ] as const) {
    const shape = isTransposed ? [inputs, outputs] : [outputs, inputs]
    const names = [weight(`classifier.${position}.weight`, ...shape), weight(`classifier.${position}.bias`, outputs)]
    add("Gemm", names, isTransposed ? {} : { transB: 1 })
    if (position < 6) add("Relu", [])
  }
  const model: WrittenModel = {
    opset: 17,
    producer: "pytorch",
    nodes,
    initializers,
    inputs: [{ name: "input", shape: ["batch", 3, 224, 224] }],
    outputs: [value],
  }
  const path = join(
    folder,
    `${Object.entries({ isTransposed, isNormalized, movesFeatures, convolutions }).join("-")}.onnx`,
  )
  writeFileSync(path, writeOnnxModel(model))
  return { path, initializers }
}

const numbers = (tensor: Tensor | undefined) => Array.from(tensor?.data ?? [], Number)

describe("weights of VGG-16 from a file", () => {
  test.each([false, true])("are taken in their order, fully connected layers stored transposed: %s", (isTransposed) => {
    const { path, initializers } = network({ isTransposed })
    const { tensors, digest } = readVggWeights(path, width)
    expect(digest).toMatch(/^[0-9a-f]{64}$/)
    const { stages, fc6, fc7 } = vggLayers(width)
    for (const { name } of stages.flat()) {
      for (const part of ["weight", "bias"])
        expect(numbers(tensors.get(`${name}.${part}`))).toEqual(numbers(initializers[`features.${name}.${part}`]))
    }
    expect([...tensors.keys()].slice(-4)).toEqual(["31.weight", "31.bias", "33.weight", "33.bias"])
    const [inputs, outputs] = [8 * width * 49, 64 * width]
    const [first, second] = [0, 3].map((layer) => numbers(initializers[`classifier.${layer}.weight`])) as [
      number[],
      number[],
    ]
    const six = tensors.get(`${fc6.name}.weight`) as Tensor
    expect(six.shape).toEqual([16 * width, 8 * width, 3, 3])
    const expected6 = Array.from({ length: 16 * width }, (_, output) =>
      Array.from({ length: 8 * width }, (_, channel) =>
        [0, 3, 6].flatMap((row) =>
          [0, 3, 6].map((column) => {
            const input = channel * 49 + row * 7 + column
            return isTransposed ? first[input * outputs + 4 * output] : first[4 * output * inputs + input]
          }),
        ),
      ).flat(),
    ).flat()
    expect(numbers(six)).toEqual(expected6)
    const seven = tensors.get(`${fc7.name}.weight`) as Tensor
    expect(seven.shape).toEqual([16 * width, 16 * width, 1, 1])
    const at = (output: number, input: number) =>
      isTransposed ? second[4 * input * outputs + 4 * output] : second[4 * output * outputs + 4 * input]
    expect(numbers(seven)).toEqual(
      Array.from({ length: (16 * width) ** 2 }, (_, index) =>
        at(Math.floor(index / (16 * width)), index % (16 * width)),
      ),
    )
    for (const [name, layer] of [
      [fc6.name, 0],
      [fc7.name, 3],
    ] as const)
      expect(numbers(tensors.get(`${name}.bias`))).toEqual(
        numbers(initializers[`classifier.${layer}.bias`]).filter((_, index) => index % 4 === 0),
      )
  })

  test("are what a network of a run starts from", async () => {
    const { path, initializers } = network({})
    const data = { imageShape: { channels: 3, height: 300, width: 300 }, classes: 3 }
    const settings = (digest?: string) => ({
      model: runConfigSchema.shape.model.parse({ name: "ssd300-vgg16", width, weights: path, digest }),
      freeze: [],
    })
    const opened = await openModel(settings(), data)
    const graph = new Graph()
    const b = createNetworkBuilder(graph, "inputs")
    opened.model.build(b, [graph.input("images", "float32", [1, 3, 300, 300])])
    const first = initializeParameters(b.specs, rng)
    expect(numbers(first.get("vgg.0.weight"))).toEqual(numbers(initializers["features.0.weight"]))
    expect(numbers(first.get("vgg.31.bias")).length).toBe(16 * width)

    await expect(openModel(settings(opened.digest()), data)).resolves.toBeDefined()
    const { digest } = await openModel(settings("0".repeat(64)), data)
    expect(digest).toThrow(expect.objectContaining({ code: "RUN_MODEL_CHANGED" }))
  })

  test("belong to no other network", () => {
    const parsed = runConfigSchema.shape.model.safeParse({ name: "resnet18", weights: "vgg16.onnx" })
    expect(parsed.error?.issues).toMatchObject([{ path: ["weights"] }])
  })

  test.each([
    ["with batch normalisation", { isNormalized: true }, width, /without batch normalisation/],
    ["whose features are moved before they are flattened", { movesFeatures: true }, width, /channels first/],
    ["with fewer convolutions", { convolutions: 8 }, width, /the weight of convolution 9 of shape \[16, 16, 3, 3\]/],
    [
      "of another width",
      {},
      4,
      /the weight of convolution 1 of shape \[4, 3, 3, 3\], got features.0.weight \[2, 3, 3, 3\]/,
    ],
  ] as const)("of a network %s are refused", (_, variant, wanted, message) => {
    expect(() => readVggWeights(network(variant).path, wanted)).toThrow(
      expect.objectContaining({ code: "WEIGHTS_NOT_VGG16", message: expect.stringMatching(message) }),
    )
  })
})
