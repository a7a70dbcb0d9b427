import { runConfigSchema } from "@learnloss/contract"
import { compileModel, createRng, floatTensor, initializeParameters, sizeOf, type Tensor } from "@learnloss/engine"
import { relativeDifference } from "@learnloss/engine/testing"
import * as web from "onnxruntime-web"
import { expect, test } from "vitest"
import { exportNetwork } from "./export.ts"
import { openModel } from "./models/open-model.ts"
import { readNetworkFile } from "./predict/network-file.ts"
import { decodePose } from "./tasks/pose/decode-pose.ts"
import { makeTask } from "./tasks/tasks.ts"
import { buildTraining, type Learner } from "./training/learner.ts"
import { strategyTraining } from "./training/strategy-training.ts"

web.env.wasm.numThreads = 1

const names = ["head", "left_hand", "right_hand"]
const skeleton = { names, bones: [[0, 1] as const, [0, 2] as const], pairs: [[1, 2] as const] }
const imageShape = { channels: 3, height: 64, width: 64 }
const normalization = { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] }
const data = { imageShape, classNames: names, normalization, skeleton }

async function openHourglass(): Promise<Learner> {
  const config = runConfigSchema.parse({
    data: "none",
    task: "pose",
    model: { name: "hourglass", width: 4, stacks: 2 },
    lossModule: { width: 8 },
    training: { steps: 1, batch: 4 },
    budget: { initial: 1, perCycle: 1, cycles: 1 },
    strategies: ["learning-loss-outputs"],
  })
  const { model } = await openModel(config, { imageShape, classes: names.length })
  const task = makeTask("pose", { data, model, config })
  return { model, task, imageShape, strategyTraining: strategyTraining("learning-loss-outputs", config), config }
}

async function run(model: Uint8Array, images: Tensor): Promise<Record<string, Tensor>> {
  const session = await compileModel(model, { threads: 1 })
  const results = await session.run({ images })
  await session.release()
  return results
}

/** As a browser computes it. */
async function runInWeb(model: Uint8Array, images: Tensor): Promise<web.InferenceSession.ReturnType> {
  const session = await web.InferenceSession.create(model)
  const results = await session.run({ images: new web.Tensor("float32", images.data as Float32Array, images.shape) })
  await session.release()
  return results
}

test("an hourglass goes from pictures of people to joints and predicted losses in one file", async () => {
  const learner = await openHourglass()
  const rng = createRng("hourglass")
  const weights = initializeParameters(buildTraining(learner, 4).network.specs, rng)
  const file = exportNetwork(learner, weights, data)
  expect(readNetworkFile(file, "pose.onnx")).toMatchObject({
    task: "pose",
    classNames: names,
    skeleton: { bones: skeleton.bones, pairs: skeleton.pairs },
    images: { fit: "square crop", height: 64, width: 64 },
    outputNames: ["joints", "scores", "predictedLoss"],
  })
  const { fileEnding: _, ...plain } = learner.task
  const raw = exportNetwork({ ...learner, task: plain }, weights, data)
  for (const count of [1, 3]) {
    const shape = [count, 3, 64, 64]
    const images = floatTensor(
      shape,
      Float32Array.from({ length: sizeOf(shape) }, () => 3 * rng.normal()),
    )
    const results = await run(file, images)
    const { output, predictedLoss } = await run(raw, images)
    expect(results.predictedLoss!.data).toEqual(predictedLoss!.data)
    const inWeb = await runInWeb(raw, images)
    expect(relativeDifference(inWeb.output!.data as Float32Array, output!.data as Float32Array)).toBeLessThan(1e-4)
    const [, stacks, joints, height, width] = output!.shape as [number, number, number, number, number]
    const length = joints * height * width
    const found = Array.from({ length: count }, (_, image) => {
      const start = (image * stacks + stacks - 1) * length
      return decodePose((output!.data as Float32Array).subarray(start, start + length), { joints, height, width })
    })
    for (const [at, { x, y, score }] of found.flatMap((pose) => pose.joints).entries()) {
      expect(results.scores!.data[at]).toBe(score)
      const place = [Number(results.joints!.data[2 * at]), Number(results.joints!.data[2 * at + 1])]
      expect(Math.max(Math.abs(place[0]! - x), Math.abs(place[1]! - y))).toBeLessThan(1e-5)
    }
  }
})
