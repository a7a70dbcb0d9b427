import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runConfigSchema } from "@learnloss/contract"
import {
  compileEvaluation,
  createRng,
  exportModel,
  floatTensor,
  Graph,
  initializeParameters,
  op,
  type Tensor,
} from "@learnloss/engine"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { decodeImage } from "../data/decode-image.ts"
import { normalizationTable } from "../data/normalization.ts"
import { cropAround } from "../data/people.ts"
import { normalizeInto } from "../data/transforms.ts"
import { exportNetwork, type ImageInput } from "../export.ts"
import type { Model } from "../models/model.ts"
import { openModel } from "../models/open-model.ts"
import { makeTask } from "../tasks/tasks.ts"
import { buildEvaluation, buildTraining, imagesInput, type Learner } from "../training/learner.ts"
import { strategyTraining } from "../training/strategy-training.ts"
import { readNetworkFile } from "./network-file.ts"
import { type ImagePrediction, predictImages } from "./predict-images.ts"

const classNames = ["cat", "dog", "bird"]
const imageShape = { channels: 3, height: 16, width: 16 }
const normalization = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] }
const data = { imageShape, classNames, normalization }
const options = { threads: 1, signal: new AbortController().signal, onProgress: () => {} }

const folder = mkdtempSync(join(tmpdir(), "learnloss-predict-"))
const paths = Array.from({ length: 19 }, (_, index) => join(folder, `${index}.png`))
const broken = paths[3] as string
beforeAll(async () => {
  const rng = createRng("pixels")
  for (const [index, path] of paths.entries()) {
    const [width, height] = [20 + index, 30]
    const pixels = Uint8Array.from({ length: width * height * 3 }, () => rng.integer(256))
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(path)
  }
  writeFileSync(broken, "no image")
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const baseConfig = {
  data: "none",
  training: { steps: 1, batch: 8 },
  budget: { initial: 1, perCycle: 1, cycles: 1 },
  strategies: ["learning-loss"],
  lossModule: { width: 8 },
}

async function classifier(): Promise<Learner> {
  const config = runConfigSchema.parse({ ...baseConfig, model: { name: "cnn4", width: 4 } })
  const { model } = await openModel(config, { imageShape, classes: classNames.length })
  const task = makeTask("classification", { data, model, config })
  return { model, task, imageShape, strategyTraining: strategyTraining("learning-loss", config), config }
}

/** Says the same of every image: a dog at the left, and a bird that is less likely, in the middle. */
function detector(): Learner {
  const config = runConfigSchema.parse({ ...baseConfig, task: "detection", model: { name: "ssd-mobile" } })
  const boxes = Float32Array.of(0.25, 0.5, 0.5, 1, 0.5, 0.5, 0.25, 0.5)
  const said = Float32Array.of(0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 2)
  const model: Model = {
    defaultBoxes: { boxes, perSource: [2] },
    build(_, [images]) {
      const [batch] = images.shape as [number]
      const mean = op.reduceMean(images, [1, 2, 3])
      const same = op.reshape(op.mul(mean, 0), [batch, 1, 1])
      return {
        output: op.add(same, images.graph.constant(floatTensor([1, 2, 8], said), "said")),
        taps: [images],
        embedding: op.reshape(mean, [batch, 1]),
      }
    },
  }
  const task = makeTask("detection", { data, model, config })
  return { model, task, imageShape, strategyTraining: strategyTraining("random", config), config }
}

const weightsOf = (learner: Learner) => initializeParameters(buildTraining(learner, 8).network.specs, createRng("w"))

async function written(learner: Learner) {
  const weights = weightsOf(learner)
  return { weights, network: readNetworkFile(exportNetwork(learner, weights, data), "a.onnx") }
}

function answered(prediction: ImagePrediction | undefined) {
  if (prediction === undefined || "unreadable" in prediction) throw new Error("no answer")
  return prediction
}

describe("a classifier's file", () => {
  test("gives each image the probabilities and the predicted loss that its network does", async () => {
    const learner = await classifier()
    const { network, weights } = await written(learner)
    const predictions = await predictImages(network, paths, options)
    expect(predictions.map(({ path }) => path)).toEqual(paths)

    const readable = paths.filter((path) => path !== broken)
    const { graph, outputs } = buildEvaluation(learner, readable.length, weights, ["output", "predictedLoss"])
    const images: Tensor = floatTensor([readable.length, 3, 16, 16])
    const table = normalizationTable(normalization)
    for (const [index, path] of readable.entries())
      normalizeInto(await decodeImage(path, 16), imageShape, table, images.data as Float32Array, index * 768)
    const session = await compileEvaluation(graph, outputs, { threads: 1 })
    const { output, predictedLoss } = await session.run({ [imagesInput]: images })
    await session.release()

    for (const [index, path] of readable.entries()) {
      const { answer, size } = answered(predictions.find((each) => each.path === path))
      if (answer.task !== "classification") throw new Error(answer.task)
      expect(size).toEqual({ width: 20 + paths.indexOf(path), height: 30 })
      expect(answer.probabilities.reduce((sum, share) => sum + share)).toBeCloseTo(1, 9)
      const [first, second] = [output!.data[3 * index], output!.data[3 * index + 1]] as [number, number]
      expect(Math.log(answer.probabilities[0]! / answer.probabilities[1]!)).toBeCloseTo(first - second, 4)
      expect(answer.predictedLoss).toBeCloseTo(Number(predictedLoss!.data[index]), 4)
    }
  })

  test("leaves an image that cannot be read in its place, and predicts the others", async () => {
    const { network } = await written(await classifier())
    const progress: number[] = []
    const predictions = await predictImages(network, paths, { ...options, onProgress: (done) => progress.push(done) })
    expect(predictions[3]).toEqual({
      path: broken,
      unreadable: expect.stringContaining("expected a JPEG, PNG or WebP"),
    })
    expect(predictions.filter((each) => "unreadable" in each)).toHaveLength(1)
    expect(progress).toEqual([16, 19])
    expect(await predictImages(network, [broken], options)).toHaveLength(1)
    expect(await predictImages(network, [], options)).toEqual([])
  })

  test("ends when it is asked to", async () => {
    const { network } = await written(await classifier())
    await expect(predictImages(network, paths, { ...options, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "INTERRUPTED",
    })
  })
})

test("a detector's file gives boxes in the pixels of each image, highest score first", async () => {
  const { network } = await written(detector())
  expect(network).toMatchObject({ task: "detection", images: { fit: "stretch" }, inputName: "images" })
  const predictions = await predictImages(network, paths, options)
  for (const [index, path] of paths.entries()) {
    if (path === broken) continue
    const { answer } = answered(predictions[index])
    if (answer.task !== "detection") throw new Error(answer.task)
    const [dog, bird] = answer.detections
    expect([dog?.classIndex, bird?.classIndex]).toEqual([1, 2])
    expect(dog?.score).toBeCloseTo(Math.exp(9) / (Math.exp(9) + 3), 5)
    expect(bird?.score).toBeCloseTo(Math.exp(2) / (Math.exp(2) + 3), 5)
    const width = 20 + index
    for (const [corner, value] of [0, 0, width / 2, 30].entries()) expect(dog?.box[corner]).toBeCloseTo(value, 3)
    for (const [corner, value] of [0.375 * width, 7.5, 0.625 * width, 22.5].entries())
      expect(bird?.box[corner]).toBeCloseTo(value, 3)
  }
})

/** Takes each colour of a picture for the heat-map of a joint, so that it finds the brightest place of each colour. */
function colourFinder(): Learner {
  const config = runConfigSchema.parse({ ...baseConfig, task: "pose", model: { name: "hourglass" } })
  const ofColour = (values: readonly number[]) => floatTensor([1, 3, 1, 1], Float32Array.from(values))
  const model: Model = {
    heatmaps: { stacks: 1, joints: 3, height: 16, width: 16 },
    build(_, [images]) {
      const [batch] = images.shape as [number]
      const { graph } = images
      const [mean, std] = [
        graph.constant(ofColour(normalization.mean), "m"),
        graph.constant(ofColour(normalization.std), "s"),
      ]
      const shares = op.add(op.mul(images, std), mean)
      return {
        output: op.reshape(shares, [batch, 1, 3, 16, 16]),
        taps: [images],
        embedding: op.reshape(op.reduceMean(images, [1, 2, 3]), [batch, 1]),
      }
    },
  }
  const task = makeTask("pose", { data, model, config })
  return { model, task, imageShape, strategyTraining: strategyTraining("random", config), config }
}

/** A black picture with a round spot of each colour for each place. */
async function paintSpots(path: string, places: readonly (readonly [x: number, y: number])[][]): Promise<void> {
  const [width, height] = [120, 80]
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, at) => {
    const [x, y] = [(Math.floor(at / 3) % width) + 0.5, Math.floor(at / 3 / width) + 0.5]
    const near = places.map((spots) => Math.exp(-((x - spots[at % 3]![0]) ** 2 + (y - spots[at % 3]![1]) ** 2) / 32))
    return Math.round(255 * Math.max(...near))
  })
  await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(path)
}

test("a pose file gives the joints of each person that it is shown, in the pixels of the image", async () => {
  const { network } = await written(colourFinder())
  expect(network).toMatchObject({ task: "pose", images: { fit: "square crop" }, outputNames: ["joints", "scores"] })
  const people = [
    [
      [20, 30],
      [31.5, 12],
      [14, 44.2],
    ],
    [
      [80, 40],
      [97.3, 22],
      [88, 61],
    ],
  ] as const
  const [both, nobody] = [join(folder, "people.png"), join(folder, "nobody.png")]
  await paintSpots(
    both,
    people.map((spots) => [...spots]),
  )
  await paintSpots(nobody, [
    [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
  ])
  // The first square stands out over the edge of the image.
  const crops = [
    { center: [20, 28], side: 48 },
    { center: [88, 42], side: 52 },
  ] as const
  const cropsOf = (path: string) => (path === both ? crops : [])
  const [found, broke, empty] = await predictImages(network, [both, broken, nobody], { ...options, cropsOf })
  expect(broke).toMatchObject({ path: broken, unreadable: expect.any(String) })
  expect(empty).toMatchObject({ answer: { task: "pose", people: [] } })
  const { answer, size } = answered(found)
  if (answer.task !== "pose") throw new Error(answer.task)
  expect(size).toEqual({ width: 120, height: 80 })
  expect(answer.people.map(({ crop }) => crop)).toEqual(crops)
  for (const [index, { joints, score, predictedLoss }] of answer.people.entries()) {
    for (const [joint, { x, y }] of joints.entries()) {
      const [wantedX, wantedY] = people[index]![joint]!
      expect(Math.hypot(x - wantedX, y - wantedY)).toBeLessThan(0.6)
    }
    expect(score).toBeCloseTo(
      joints.reduce((sum, each) => sum + each.score / 3, 0),
      9,
    )
    expect(predictedLoss).toBeNull()
  }
  // Where nobody says where people are, one fills the image, and is cut out by the rule of training.
  const [whole] = await predictImages(network, [both], options)
  expect(answered(whole).answer).toMatchObject({ people: [{ crop: cropAround([0, 0, 120, 80]) }] })
})

describe("files that cannot be used", () => {
  const images: ImageInput = { channels: 3, height: 4, width: 4, layout: "channels-first", fit: "cover" }
  const whole = {
    task: "classification",
    images: JSON.stringify(images),
    classes: '["a"]',
    mean: "[0,0,0]",
    std: "[1,1,1]",
  }
  const fileWith = (metadata: Record<string, string>) =>
    exportModel((batch) => {
      const graph = new Graph()
      return { graph, outputs: { y: op.reduceMean(graph.input("x", "float32", [batch, 3, 4, 4]), [2, 3]) } }
    }, metadata)

  test("are none with all that is needed", () => {
    expect(readNetworkFile(fileWith(whole), "a.onnx")).toMatchObject({ images, outputNames: ["y"] })
  })

  test.each([
    ["no metadata at all", {}, /its task, classification, detection or pose, got no metadata/],
    ["a task that is not known", { ...whole, task: "poetry" }, /got poetry/],
    ["no classes", { ...whole, classes: "[]" }, /usable "classes"/],
    ["a mean of too few channels", { ...whole, mean: "[0]" }, /usable "mean" in its metadata, got \[0\]/],
    ["images that are told wrongly", { ...whole, images: '{"height":4}' }, /usable "images"/],
    ["what is no JSON", { ...whole, std: "1,1" }, /usable "std"/],
  ])("are told by what they lack: %s", (_, metadata, reason) => {
    const read = () => readNetworkFile(fileWith(metadata as Record<string, string>), "a.onnx")
    expect(read).toThrow(reason)
    expect(read).toThrow(expect.objectContaining({ code: "NETWORK_NOT_TOLD" }))
  })

  test("whose weights are broken say so", async () => {
    const endless = exportModel((batch) => {
      const graph = new Graph()
      return { graph, outputs: { y: op.div(op.reduceMean(graph.input("x", "float32", [batch, 3, 4, 4]), [2, 3]), 0) } }
    }, whole)
    await expect(predictImages(readNetworkFile(endless, "a.onnx"), paths.slice(0, 2), options)).rejects.toMatchObject({
      code: "OUTPUT_NOT_FINITE",
    })
  })
})
