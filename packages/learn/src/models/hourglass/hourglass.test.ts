import {
  compileTrainStep,
  constantSchedule,
  createNetworkBuilder,
  createRng,
  fixedPlan,
  floatTensor,
  Graph,
  gradients,
  initializeParameters,
  op,
  sgd,
  sizeOf,
  type Value,
} from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import type { ModelOptions } from "../model.ts"
import { models } from "../models.ts"

const options = (side: number, width: number, joints: number, hourglass?: ModelOptions["hourglass"]): ModelOptions => ({
  width,
  classes: joints,
  imageShape: { channels: 3, height: side, width: side },
  ...(hourglass === undefined ? {} : { hourglass }),
})

function built(name: "hourglass" | "hourglass2", given: ModelOptions, batch = 2) {
  const model = models[name](given)
  const graph = new Graph()
  const network = createNetworkBuilder(graph, "inputs")
  const { channels, height, width } = given.imageShape
  const images = graph.input("images", "float32", [batch, channels, height, width])
  return { graph, model, network, output: model.build(network, [images]) }
}

const shapesOf = (values: readonly Value[]) => values.map(({ shape }) => shape)

describe("stacked hourglasses", () => {
  test("hourglass2 has the paper's maps, and the reference's parameters but for biases that a normalisation takes away", () => {
    const { model, network, output } = built("hourglass2", options(256, 64, 16), 6)
    expect(model.heatmaps).toEqual({ stacks: 2, joints: 16, height: 64, width: 64 })
    expect(output.output.shape).toEqual([6, 2, 16, 64, 64])
    expect(shapesOf(output.taps)).toEqual([
      [6, 256, 64, 64],
      [6, 256, 64, 64],
    ])
    expect(output.embedding.shape).toEqual([6, 256])
    const trained = network.specs.filter(({ kind }) => kind === "parameter")
    expect(trained.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(6_713_824)
    expect(
      trained.filter(({ name }) => /(conv|downsample|score|fc)[^b]*\.bias$/.test(name)).map(({ name }) => name),
    ).toEqual(["fc.0.1.bias", "score.0.bias", "fc.1.1.bias", "score.1.bias"])
  })

  test("hourglass has as many stacks and blocks as asked for, and taps what is handed from level to level", () => {
    const settings = { stacks: 3, blocks: 2, innerTaps: true }
    const { model, network, output } = built("hourglass", options(128, 4, 14, settings))
    expect(model.heatmaps).toEqual({ stacks: 3, joints: 14, height: 32, width: 32 })
    expect(output.output.shape).toEqual([2, 3, 14, 32, 32])
    expect(shapesOf(output.taps)).toEqual([
      ...Array.from({ length: 3 }, () => [2, 16, 32, 32]),
      [2, 16, 2, 2],
      [2, 16, 4, 4],
      [2, 16, 8, 8],
      [2, 16, 16, 16],
    ])
    expect(network.values.has("hg.2.hg.0.3.1.conv2.weight")).toBe(true)
    expect(network.values.has("score_.1.weight")).toBe(true)
    expect(network.values.has("score_.2.weight")).toBe(false)
  })

  test("every parameter learns", async () => {
    const settings = { stacks: 2, blocks: 1, innerTaps: false }
    const { graph, network, output } = built("hourglass", options(64, 4, 3, settings), 4)
    const loss = op.reduceMean(op.mul(output.output, output.output))
    const trained = network.specs.filter(({ kind }) => kind === "parameter").map(({ name }) => name)
    const values = gradients(
      graph,
      loss,
      trained.map((name) => network.values.get(name) as Value),
    )
    const observed = Object.fromEntries(trained.map((name, index) => [name, values[index] as Value]))
    const step = await compileTrainStep(
      {
        graph,
        network,
        loss,
        observed,
        progress: graph.input("progress", "float32", []),
        optimizer: sgd({ momentum: 0.9, weightDecay: 0 }),
        learningRate: 0.01,
        schedule: constantSchedule,
      },
      fixedPlan,
      { threads: 1 },
    )
    const rng = createRng("hourglass")
    await step.load({ parameters: initializeParameters(network.specs, rng), optimizer: new Map() })
    const shape = [4, 3, 64, 64]
    const images = floatTensor(
      shape,
      Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()),
    )
    const first = await step.run({ images }, 0)
    for (const name of trained) {
      const norm = Math.hypot(...(first.observed[name] as Float32Array))
      expect(norm, name).toBeGreaterThan(1e-7)
    }
    let { loss: last } = first
    for (let index = 0; index < 20; index++) last = (await step.run({ images }, 0)).loss
    expect(last).toBeLessThan(0.5 * first.loss)
    await step.release()
  })

  test("refuse images that cannot be halved often enough, or are not square", () => {
    for (const [height, width] of [
      [96, 96],
      [128, 64],
      [32, 32],
    ] as const) {
      const given = { ...options(64, 8, 4), imageShape: { channels: 3, height, width } }
      for (const name of ["hourglass", "hourglass2"] as const)
        expect(() => models[name](given)).toThrow(expect.objectContaining({ code: "MODEL_IMAGE_SIZE" }))
    }
  })
})
