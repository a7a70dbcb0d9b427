import { createNetworkBuilder, createRng, Graph, initializeParameters, sizeOf, type Tensor } from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import type { ModelOptions } from "../model.ts"
import { models } from "../models.ts"

const options = (side: number, width: number, classes: number): ModelOptions => ({
  width,
  classes,
  imageShape: { channels: 3, height: side, width: side },
})

function built(name: "ssd300-vgg16" | "ssd-mobile", given: ModelOptions) {
  const model = models[name](given)
  const graph = new Graph()
  const network = createNetworkBuilder(graph, "inputs")
  const { channels, height, width } = given.imageShape
  const output = model.build(network, [graph.input("images", "float32", [2, channels, height, width])])
  return { model, network, output }
}

describe("single shot detectors", () => {
  test("ssd300-vgg16 has the reference's sources, boxes and parameters", () => {
    const { model, network, output } = built("ssd300-vgg16", options(300, 64, 20))
    expect(output.output.shape).toEqual([2, 8732, 25])
    expect(model.defaultBoxes?.boxes.length).toBe(4 * 8732)
    expect(output.taps.map(({ shape }) => shape)).toEqual([
      [2, 512, 38, 38],
      [2, 1024, 19, 19],
      [2, 512, 10, 10],
      [2, 256, 5, 5],
      [2, 256, 3, 3],
      [2, 256, 1, 1],
    ])
    expect(output.embedding.shape).toEqual([2, 1024])
    // what counting the parameters of the reference for 21 classes gives
    expect(network.specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(26_285_486)
  })

  test.each([
    [96, [12, 6, 3, 2]],
    [128, [16, 8, 4, 2]],
    [150, [19, 10, 5, 3]],
    [160, [20, 10, 5, 3]],
  ])("ssd-mobile has as many places as its default boxes for images of %i pixels", (side, places) => {
    const { model, output } = built("ssd-mobile", options(side, 32, 20))
    expect(output.taps.map(({ shape }) => shape[2])).toEqual(places)
    const boxes = (model.defaultBoxes?.boxes.length ?? 0) / 4
    expect(output.output.shape).toEqual([2, boxes, 25])
  })

  test("ssd-mobile of width 32 has 0.8 million parameters for three classes, as its PyTorch twin has", () => {
    const { specs } = built("ssd-mobile", options(128, 32, 3)).network
    const trained = specs.filter(({ kind }) => kind === "parameter")
    expect(trained.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(783_408)
  })

  test("heads start from Xavier's variance, as if offsets and logits were convolutions of their own", () => {
    const { network } = built("ssd-mobile", options(128, 32, 3))
    const { data, shape } = initializeParameters(network.specs, createRng("heads")).get("heads.1.weight") as Tensor
    expect(shape).toEqual([6 * 8, 256, 3, 3])
    const row = sizeOf(shape.slice(1))
    const variance = (isOffset: boolean) => {
      const chosen = Array.from(data, Number).filter((_, index) => Math.floor(index / row) % 8 < 4 === isOffset)
      return chosen.reduce((sum, each) => sum + each * each, 0) / chosen.length
    }
    expect(variance(true) / (2 / (9 * (256 + 6 * 4)))).toBeCloseTo(1, 1)
    expect(variance(false) / (2 / (9 * (256 + 6 * 4)))).toBeCloseTo(1, 1)
  })

  test("refuse images of a size that is not theirs", () => {
    for (const [name, given] of [
      ["ssd300-vgg16", options(128, 64, 20)],
      ["ssd300-vgg16", { ...options(300, 64, 20), imageShape: { channels: 1, height: 300, width: 300 } }],
      ["ssd-mobile", options(300, 32, 20)],
      ["ssd-mobile", { ...options(128, 32, 20), imageShape: { channels: 3, height: 128, width: 96 } }],
    ] as const) {
      expect(() => models[name](given)).toThrow(expect.objectContaining({ code: "MODEL_IMAGE_SIZE" }))
    }
  })
})
