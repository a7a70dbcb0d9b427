import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fitSettingsSchema, runConfigSchema, type StrategyName } from "@learnloss/contract"
import {
  compileEvaluation,
  compileModel,
  createRng,
  decodeOnnxModel,
  floatTensor,
  initializeParameters,
  sizeOf,
  type Tensor,
  type TensorMap,
} from "@learnloss/engine"
import { relativeDifference, type WrittenNode, writeOnnxModel } from "@learnloss/engine/testing"
import * as web from "onnxruntime-web"
import { afterAll, describe, expect, test, vi } from "vitest"
import { exportNetwork } from "./export.ts"
import { fitNetwork } from "./fit.ts"
import { numbers } from "./frozen/networks.test-suite.ts"
import { openModel } from "./models/open-model.ts"
import { resolveRun } from "./resolve-run.ts"
import { classification } from "./tasks/classification.ts"
import { buildEvaluation, buildTraining, type Learner } from "./training/learner.ts"
import { strategyTraining } from "./training/strategy-training.ts"

web.env.wasm.numThreads = 1

const fixture = (name: string) => new URL(`../../../fixtures/imports/${name}.onnx`, import.meta.url).pathname
const classNames = Array.from({ length: 10 }, (_, index) => `class ${index}`)
const imageShape = { channels: 3, height: 16, width: 16 }
const normalization = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] }

const folder = mkdtempSync(join(tmpdir(), "learnloss-export-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Writes a network that pools by norms between two convolutions, [B, 3, 16, 16] to [B, 10]. */
function writeNetwork(name: string, between: readonly WrittenNode[]): string {
  const path = join(folder, `${name}.onnx`)
  const bytes = writeOnnxModel({
    opset: 17,
    opsets: { "com.microsoft": 1 },
    inputs: [{ name: "image", shape: ["N", 3, 16, 16] }],
    initializers: {
      first: numbers("first", [6, 3, 3, 3]),
      second: numbers("second", [8, 6, 3, 3]),
      head: numbers("head", [10, 8]),
      yes: { dataType: "bool", shape: [], rawData: Uint8Array.of(1) },
    },
    nodes: [
      { op: "Conv", inputs: ["image", "first"], outputs: ["c1"], attributes: { pads: [1, 1, 1, 1] } },
      ...between,
      { op: "Conv", inputs: ["between", "second"], outputs: ["c2"] },
      { op: "Relu", inputs: ["c2"], outputs: ["deep"] },
      { op: "GlobalAveragePool", inputs: ["deep"], outputs: ["pooled"] },
      { op: "Flatten", inputs: ["pooled"], outputs: ["embedding"] },
      { op: "Gemm", inputs: ["embedding", "head"], outputs: ["logits"], attributes: { transB: 1 } },
    ],
    outputs: [{ name: "logits", shape: ["N", 10] }],
  })
  writeFileSync(path, bytes)
  return path
}

const pooledByNorm = writeNetwork("pooled", [
  {
    op: "QuickGelu",
    domain: "com.microsoft",
    inputs: ["c1"],
    outputs: ["gated"],
    attributes: { alpha: { float: 1.5 } },
  },
  { op: "LpPool", inputs: ["gated"], outputs: ["between"], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
])
const branch = { inputs: [], nodes: [{ op: "Relu", inputs: ["c1"], outputs: ["b"] }], outputs: ["b"] }
const branching = writeNetwork("branching", [
  {
    op: "If",
    inputs: ["yes"],
    outputs: ["between"],
    attributes: { then_branch: { graph: branch }, else_branch: { graph: branch } },
  },
])

interface Case {
  readonly name: string
  readonly model: object
  readonly strategy: StrategyName
  readonly freeze?: string | readonly string[]
}

const cases: readonly Case[] = [
  { name: "cnn4 with its module", model: { name: "cnn4", width: 8 }, strategy: "learning-loss" },
  { name: "cnn4 whose module reads outputs", model: { name: "cnn4", width: 8 }, strategy: "learning-loss-outputs" },
  { name: "cnn4 without a module", model: { name: "cnn4", width: 8 }, strategy: "random" },
  { name: "a residual network from a file", model: { onnx: fixture("resnet18-training") }, strategy: "learning-loss" },
  { name: "a transformer exported for one image", model: { onnx: fixture("vit-batch1") }, strategy: "learning-loss" },
  { name: "a transformer with a class token", model: { onnx: fixture("vit-folded") }, strategy: "learning-loss" },
  { name: "channel shuffles", model: { onnx: fixture("shufflenet-training") }, strategy: "learning-loss-outputs" },
  {
    name: "upsampling and transposed convolutions",
    model: { onnx: fixture("unet-training") },
    strategy: "learning-loss",
  },
  { name: "a new last layer", model: { onnx: fixture("densenet-folded"), newHead: true }, strategy: "learning-loss" },
  {
    name: "a network trained behind a frozen part",
    model: { onnx: fixture("resnet18-training") },
    strategy: "learning-loss",
    freeze: "layer1.*",
  },
  {
    name: "a transformer whose class token is frozen",
    model: { onnx: fixture("vit-folded") },
    strategy: "learning-loss",
    freeze: ["cls_token", "pos_embed", "patch_embed.*"],
  },
  {
    name: "a network whose frozen part has ops that cannot be trained through",
    model: { onnx: pooledByNorm, newHead: true },
    strategy: "learning-loss",
    freeze: "first",
  },
]

async function learnerOf({ model, strategy, freeze }: Case): Promise<Learner> {
  const config = runConfigSchema.parse({
    data: "shapes",
    model,
    freeze,
    lossModule: { width: 8 },
    training: { steps: 1, batch: 8 },
    budget: { initial: 1, perCycle: 1, cycles: 1 },
    strategies: [strategy],
  })
  const opened = await openModel(config, { imageShape, classes: classNames.length })
  const task = classification(classNames)
  return { model: opened.model, task, imageShape, strategyTraining: strategyTraining(strategy, config), config }
}

/** Weights that are not those of a file, so that an export of a file's own weights is seen. */
function weightsOf(learner: Learner): TensorMap {
  const { specs } = buildTraining(learner, 8).network
  const rng = createRng("export")
  return new Map(
    [...initializeParameters(specs, rng)].map(([name, tensor]) => {
      const stream = rng.child(name)
      return [
        name,
        floatTensor(
          tensor.shape,
          (tensor.data as Float32Array).map((value) => value * (0.8 + 0.4 * stream.float())),
        ),
      ]
    }),
  )
}

function drawImages(count: number): Tensor {
  const rng = createRng("images")
  const shape = [count, imageShape.channels, imageShape.height, imageShape.width]
  return floatTensor(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()),
  )
}

describe.each(cases)("an exported network: $name", (each) => {
  test("gives what was trained for any number of images, also in a browser's runtime", async () => {
    const learner = await learnerOf(each)
    const weights = weightsOf(learner)
    const bytes = exportNetwork(learner, weights, { imageShape, classNames, normalization })
    const native = await compileModel(bytes, { threads: 1 })
    const browser = await web.InferenceSession.create(bytes)
    expect(browser.outputNames).toHaveLength(each.strategy === "random" ? 1 : 2)
    for (const count of [1, 5]) {
      const images = drawImages(count)
      const expected = await evaluate(learner, weights, images)
      const fed = await native.run({ [browser.inputNames[0]!]: images })
      const inBrowser = await browser.run({
        [browser.inputNames[0]!]: new web.Tensor("float32", images.data as Float32Array, [...images.shape]),
      })
      for (const [index, output] of browser.outputNames.entries()) {
        const wanted = (index === 0 ? expected.output : expected.predictedLoss)!
        expect(fed[output]!.shape).toEqual(wanted.shape)
        expect(inBrowser[output]!.dims).toEqual(wanted.shape)
        expect(relativeDifference(fed[output]!.data as Float32Array, wanted.data as Float32Array)).toBeLessThan(1e-4)
        expect(relativeDifference(inBrowser[output]!.data as Float32Array, wanted.data as Float32Array)).toBeLessThan(
          1e-4,
        )
      }
    }
    await native.release()
    await browser.release()
  })
})

test("a written network says what it was trained for and how images are brought to it", async () => {
  const learner = await learnerOf(cases[0]!)
  const bytes = exportNetwork(learner, weightsOf(learner), { imageShape, classNames, normalization })
  expect(Object.fromEntries(decodeOnnxModel(bytes, "exported").metadata)).toEqual({
    task: "classification",
    images: JSON.stringify({ channels: 3, height: 16, width: 16, layout: "channels-first", fit: "cover" }),
    classes: JSON.stringify(classNames),
    mean: "[0.5,0.4,0.3]",
    std: "[0.2,0.3,0.4]",
  })
})

test("a training whose network could not be written is refused before its first step", async () => {
  const samples = { ids: [], targets: [], pixels: new Uint8Array() }
  const settings = fitSettingsSchema.parse({
    onnx: branching,
    data: "none",
    freeze: ["first"],
    steps: 1,
    learningRate: 0.1,
    lowerings: "fixed",
    threads: 1,
  })
  const onStart = vi.fn()
  const fitted = fitNetwork(settings, {
    dataset: { name: "none", imageShape, classNames, normalization, train: samples, test: samples } as never,
    steps: 1,
    checkpointFolder: folder,
    signal: new AbortController().signal,
    onStart,
    onStep: onStart,
    onEvaluate: onStart,
  })
  await expect(fitted).rejects.toThrow(/If node.*one file.*holds a graph/s)
  expect(onStart).not.toHaveBeenCalled()
})

test("a run whose network could not be written says so before it starts", async () => {
  const config = runConfigSchema.parse({
    data: "none",
    model: { onnx: branching },
    freeze: ["first"],
    training: { steps: 1, batch: 8 },
    budget: { initial: 1, perCycle: 1, cycles: 1 },
    strategies: ["learning-loss"],
    engine: { lowerings: "fixed", threads: 1 },
  })
  const samples = { ids: [], targets: [], image: () => new Uint8Array() }
  const dataset = { name: "none", imageShape, classNames, normalization, train: samples, test: samples }
  const said: string[] = []
  await resolveRun(config, dataset, (line) => said.push(line))
  expect(said).toContainEqual(expect.stringMatching(/cannot be written by `learnloss export`.*If node/))
})

/** What the evaluation graph of training gives, frozen part and all. */
async function evaluate(learner: Learner, weights: TensorMap, images: Tensor): Promise<Record<string, Tensor>> {
  const count = images.shape[0]!
  const wanted = ["output", ...(learner.strategyTraining.lossModule === "none" ? [] : ["predictedLoss"])] as const
  const { graph, outputs } = buildEvaluation(learner, count, weights, wanted as never)
  const session = await compileEvaluation(graph, outputs, { threads: 1 })
  const { frozen } = learner.model
  let feeds: Record<string, Tensor> = { images }
  if (frozen !== undefined) {
    const part = await compileModel(frozen.model, { threads: 1 })
    feeds = await part.run({ [frozen.input.name]: images })
    await part.release()
  }
  const result = await session.run(feeds)
  await session.release()
  return result
}
