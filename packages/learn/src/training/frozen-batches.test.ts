import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runConfigSchema } from "@learnloss/contract"
import {
  compileTrainStep,
  createRng,
  fixedPlan,
  initializeParameters,
  runtimeVersion,
  type TensorMap,
} from "@learnloss/engine"
import { relativeDifference } from "@learnloss/engine/testing"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { ClassificationDataset, SampleSet, SplitName } from "../data/dataset.ts"
import { sampleSet } from "../data/sample-set.ts"
import type { Model } from "../models/model.ts"
import { openModel } from "../models/open-model.ts"
import { classification } from "../tasks/classification.ts"
import { createBatchMaker } from "./batches.ts"
import { createFrozenBatches, type FrozenBatches, frozenCacheNotice } from "./frozen-batches.ts"
import { buildTraining, type Learner } from "./learner.ts"

const dataset: ClassificationDataset = {
  name: "noise",
  imageShape: { channels: 3, height: 16, width: 16 },
  classNames: Array.from({ length: 10 }, (_, index) => `class ${index}`),
  normalization: { mean: [0.5, 0.5, 0.5], std: [0.3, 0.3, 0.3] },
  train: noise("train", 40),
  test: noise("test", 10),
}

function noise(split: string, count: number): SampleSet<number> {
  const rng = createRng(split)
  const images = Array.from({ length: count }, () => Uint8Array.from({ length: 768 }, () => rng.integer(256)))
  const ids = images.map((_, index) => `${split}/${index}`)
  return sampleSet(
    split,
    ids,
    ids.map(() => rng.integer(10)),
    images,
  )
}
const onnx = new URL("../../../../fixtures/imports/resnet18-training.onnx", import.meta.url).pathname
const still = { crop: 0, flip: false }
const task = classification(dataset.classNames)

let cacheRoot: string
beforeEach(() => {
  cacheRoot = mkdtempSync(join(tmpdir(), "learnloss-frozen-"))
})
afterEach(() => rmSync(cacheRoot, { recursive: true, force: true }))

async function learnerOf(freeze: readonly string[]): Promise<Learner> {
  const config = runConfigSchema.parse({
    data: "shapes",
    model: { onnx, freezeNorm: freeze.length === 0 },
    freeze: [...freeze],
    training: { steps: 6, batch: 8, learningRate: 0.01, schedule: { kind: "constant" } },
    lossModule: { width: 8 },
    budget: { initial: 1, perCycle: 1, cycles: 1 },
    strategies: ["learning-loss"],
  })
  const { model } = await openModel(config, { imageShape: dataset.imageShape, classes: 10 })
  const strategyTraining = { lossModule: "joint", objective: "ranking", readsOutputs: false } as const
  return { model, task, imageShape: dataset.imageShape, strategyTraining, config }
}

function open(learner: Learner, images = createBatchMaker(dataset, task, still), isAugmented = false) {
  const { frozen } = learner.model as Required<Model>
  return createFrozenBatches({ frozen, dataset, task, images, isAugmented, threads: 1, device: "cpu", cacheRoot })
}

/** Losses of a few steps on the first images. */
async function train(learner: Learner, batches: Pick<FrozenBatches, "training">): Promise<number[]> {
  const spec = buildTraining(learner, 8)
  const step = await compileTrainStep(spec, fixedPlan, { threads: 1 })
  const weights: TensorMap = initializeParameters(spec.network.specs, createRng("weights"))
  await step.load({ parameters: weights, optimizer: new Map() })
  const losses: number[] = []
  for (let index = 0; index < 6; index++) {
    const positions = Array.from({ length: 8 }, (_, offset) => (8 * index + offset) % dataset.train.ids.length)
    losses.push((await step.run(await batches.training(positions, createRng(`${index}`)), index / 6)).loss)
  }
  await step.release()
  return losses
}

describe("a frozen part", () => {
  test("computed ahead trains the rest as if all of it were in one graph", async () => {
    const learner = await learnerOf(["conv1*", "bn1*", "layer1.*", "layer2.*"])
    const { whole } = learner.model as unknown as { whole: { build: Model["build"] } }
    const inOneGraph: Learner = { ...learner, model: { build: (b, inputs) => whole.build(b, inputs[0] as never) } }
    const expected = await train(inOneGraph, createBatchMaker(dataset, task, still))
    const batches = await open(learner)
    const losses = await train(learner, batches)
    await batches.release()
    expect(relativeDifference(losses, expected)).toBeLessThan(1e-5)
    expect(losses[5]).not.toBe(losses[0])
  })

  test("is computed once for each image, by any process", async () => {
    const learner = await learnerOf(["layer1.*", "conv1*", "bn1*"])
    let computed = 0
    const images = createBatchMaker(dataset, task, still)
    const counting = {
      ...images,
      evaluation(split: SplitName, positions: readonly number[], withTargets: boolean) {
        computed += positions.length
        return images.evaluation(split, positions, withTargets)
      },
    }
    const first = await open(learner, counting)
    const losses = await train(learner, first)
    const again = await train(learner, first)
    await first.release()
    expect(computed).toBe(40)
    const second = await open(learner, counting)
    const later = await train(learner, second)
    await second.release()
    expect(computed).toBe(40)
    expect(again).toEqual(losses)
    expect(later).toEqual(losses)
  })

  test("is kept by what its bits depend on", async () => {
    await (await open(await learnerOf(["layer1.*", "conv1*", "bn1*"]))).release()
    const [folder = ""] = readdirSync(cacheRoot)
    const about = JSON.parse(readFileSync(join(cacheRoot, folder, "about.json"), "utf8"))
    expect(about).toMatchObject({ format: 1, runtime: runtimeVersion, threads: 1 })
  })

  test("is spoken of where it fills the disk, with the images that it is kept for", async () => {
    const { frozen } = (await learnerOf(["layer1.*", "conv1*", "bn1*"])).model as Required<Model>
    const width = frozen.outputs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
    const many = (split: string, gib: number) => ({ ...noise(split, 1), ids: { length: (gib * 2 ** 28) / width } })
    const notice = (trainGib: number, testGib: number, isAugmented: boolean) => {
      const large = { ...dataset, train: many("train", trainGib), test: many("test", testGib) }
      return frozenCacheNotice({ frozen, dataset: large as never, isAugmented, cacheRoot })
    }
    expect(notice(2, 0.5, false)).toContain(`kept in ${cacheRoot}: up to 2.5 GiB`)
    expect(notice(2, 0.5, true)).toBeUndefined()
    // Too much to be kept at all.
    expect(notice(40, 0.5, false)).toBeUndefined()
  })

  test("of randomly changed images is computed as they come, and of test images still once", async () => {
    const learner = await learnerOf(["layer1.*", "conv1*", "bn1*"])
    const augmented = await open(learner, createBatchMaker(dataset, task, { crop: 2, flip: true }), true)
    const [name] = learner.model.frozen!.outputs.map((output) => output.name)
    const positions = [0, 1, 2, 3, 4, 5, 6, 7]
    const one = await augmented.training(positions, createRng("a"))
    const same = await augmented.training(positions, createRng("a"))
    const other = await augmented.training(positions, createRng("b"))
    expect(same[name!]!.data).toEqual(one[name!]!.data)
    expect(other[name!]!.data).not.toEqual(one[name!]!.data)
    const plain = await augmented.evaluation("test", positions, true)
    expect((await augmented.evaluation("test", positions, true))[name!]!.data).toEqual(plain[name!]!.data)
    await augmented.release()
  })
})
