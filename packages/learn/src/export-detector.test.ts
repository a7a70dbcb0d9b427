import { runConfigSchema } from "@learnloss/contract"
import { compileModel, createRng, floatTensor, initializeParameters, sizeOf, type Tensor } from "@learnloss/engine"
import { expect, test } from "vitest"
import { exportNetwork } from "./export.ts"
import { openModel } from "./models/open-model.ts"
import { decodeDetections } from "./tasks/detection/decode-detections.ts"
import { makeTask } from "./tasks/tasks.ts"
import { buildTraining, type Learner } from "./training/learner.ts"
import { strategyTraining } from "./training/strategy-training.ts"

const classNames = ["red cell", "white cell", "platelet"]
const imageShape = { channels: 3, height: 96, width: 96 }
const data = { imageShape, classNames, normalization: { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] } }

async function openDetector(): Promise<Learner> {
  const config = runConfigSchema.parse({
    data: "none",
    task: "detection",
    model: { name: "ssd-mobile", width: 8 },
    lossModule: { width: 8 },
    training: { steps: 1, batch: 4 },
    budget: { initial: 1, perCycle: 1, cycles: 1 },
    strategies: ["learning-loss-outputs"],
  })
  const { model } = await openModel(config, { imageShape, classes: classNames.length })
  const task = makeTask("detection", { data, model, config })
  return { model, task, imageShape, strategyTraining: strategyTraining("learning-loss-outputs", config), config }
}

async function run(model: Uint8Array, images: Tensor): Promise<Record<string, Tensor>> {
  const session = await compileModel(model, { threads: 1 })
  const results = await session.run({ images })
  await session.release()
  return results
}

test.each([1, 3])("ssd-mobile goes from %i images to boxes and predicted losses in one file", async (count) => {
  const learner = await openDetector()
  const rng = createRng("detector")
  // Untrained heads give scores so alike that float32 and float64 order them differently.
  const initial = initializeParameters(buildTraining(learner, 4).network.specs, rng)
  const weights = new Map(
    [...initial].map(([name, { shape, data: values }]) => {
      const factor = name.startsWith("heads") ? 4 : 1
      return [
        name,
        floatTensor(
          shape,
          (values as Float32Array).map((value) => factor * value),
        ),
      ]
    }),
  )
  const shape = [count, 3, 96, 96]
  const images = floatTensor(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => 3 * rng.normal()),
  )
  const results = await run(exportNetwork(learner, weights, data), images)
  expect(Object.keys(results)).toEqual(["boxes", "scores", "classes", "imageIndex", "predictedLoss"])

  const { fileEnding: _, ...plain } = learner.task
  const raw = await run(exportNetwork({ ...learner, task: plain }, weights, data), images)
  expect(results.predictedLoss!.data).toEqual(raw.predictedLoss!.data)
  const rows = raw.output!.data as Float32Array
  const length = rows.length / count
  const { boxes } = learner.model.defaultBoxes!
  const expected = Array.from({ length: count }, (_, image) =>
    decodeDetections(rows.subarray(image * length, (image + 1) * length), boxes).map((detection) => ({
      image,
      ...detection,
    })),
  ).flat()
  expect(expected.length).toBeGreaterThan(10 * count)
  expect([...results.imageIndex!.data].map(Number)).toEqual(expected.map(({ image }) => image))
  const found = expected.map((_, index) => ({
    image: Number(results.imageIndex!.data[index]),
    classIndex: Number(results.classes!.data[index]),
    score: Number(results.scores!.data[index]),
    box: [...results.boxes!.data.slice(4 * index, 4 * index + 4)].map(Number),
  }))
  // Neighbours whose scores differ in their last bits may change places: softmax is of float32 in the file.
  for (const { image, classIndex, score, box } of expected) {
    const same = found.filter(
      (each) =>
        each.image === image &&
        each.classIndex === classIndex &&
        Math.abs(each.score - score) < 1e-5 &&
        box.every((value, corner) => Math.abs(each.box[corner]! - value) < 1e-5),
    )
    expect(same).toHaveLength(1)
  }
  for (const [index, { image, score }] of found.entries()) {
    if (image === found[index - 1]?.image) expect(score).toBeLessThanOrEqual(found[index - 1]!.score)
  }
})
