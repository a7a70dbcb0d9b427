import {
  compileTrainStep,
  constantSchedule,
  createNetworkBuilder,
  fixedPlan,
  floatTensor,
  Graph,
  gradients,
  op,
  readSafetensors,
  type StepResult,
  sgd,
  type Tensor,
  type TrainingState,
  type Value,
} from "@learnloss/engine"
import { relativeDifference } from "@learnloss/engine/testing"
import { describe, expect, test } from "vitest"
import type { Box, DetectionTarget } from "../../data/boxes.ts"
import { multiboxLoss } from "../../tasks/detection/multibox-loss.ts"
import { targetEncoder, targetInputsOf } from "../../tasks/detection/targets.ts"
import { expectGradients, filled, madeUp } from "../made-up.test-suite.ts"
import type { Model } from "../model.ts"
import { ssdMobile } from "./mobile.ts"
import { ssd300 } from "./ssd300.ts"

const folder = new URL("../../../../../fixtures/ssd/", import.meta.url).pathname

function boxesOf(flat: readonly number[]): Box[] {
  return Array.from({ length: flat.length / 4 }, (_, index) => flat.slice(4 * index, 4 * index + 4) as unknown as Box)
}

interface Outcome {
  readonly result: StepResult
  readonly state: TrainingState
  readonly network: ReturnType<typeof createNetworkBuilder>
}

/** Seed of the steps in fixtures/make-ssd.py. */
const seed = 14

/** Makes one training step of a network on the objects that the fixture names. */
async function stepOf(model: Model, tensors: ReadonlyMap<string, Tensor>, side: number): Promise<Outcome> {
  const numbers = (name: string) => Array.from(tensors.get(name)?.data ?? [], Number)
  const batch = numbers("losses").length
  const targets = Array.from({ length: batch }, (_, index): DetectionTarget => {
    const labels = numbers(`labels/${index}`)
    const boxes = boxesOf(numbers(`truths/${index}`))
    return {
      width: 1,
      height: 1,
      boxes: boxes.map((box, at) => ({ classIndex: labels[at] as number, box, isDifficult: false })),
    }
  })
  const { boxes } = model.defaultBoxes as NonNullable<Model["defaultBoxes"]>
  const graph = new Graph()
  const network = createNetworkBuilder(graph, "inputs")
  const images = graph.input("images", "float32", [batch, 3, side, side])
  const { output, taps, embedding } = model.build(network, [images])
  const [offsets, classes] = targetInputsOf(boxes.length / 4).map(({ name, dtype, shape }) =>
    graph.input(name, dtype, [batch, ...shape]),
  ) as [Value, Value]
  const losses = multiboxLoss(output, { offsets, classes })
  const loss = op.reduceMean(losses)
  const trained = network.specs.filter(({ kind }) => kind === "parameter").map(({ name }) => name)
  const values = gradients(
    graph,
    loss,
    trained.map((name) => network.values.get(name) as Value),
  )
  const observed = {
    losses,
    output,
    embedding,
    ...Object.fromEntries(taps.map((tap, index) => [`taps/${index}`, op.globalAveragePool(tap)])),
    ...Object.fromEntries(trained.map((name, index) => [`gradient/${name}`, values[index] as Value])),
  }
  const step = await compileTrainStep(
    {
      graph,
      network,
      loss,
      observed,
      progress: graph.input("progress", "float32", []),
      optimizer: sgd({ momentum: 0.9, weightDecay: 5e-4 }),
      learningRate: 1e-3,
      schedule: constantSchedule,
    },
    fixedPlan,
    { threads: 2 },
  )
  await step.load({ parameters: filled(network.specs), optimizer: new Map() })
  const pixels = floatTensor([batch, 3, side, side], madeUp(batch * 3 * side * side, 1000 + seed))
  const result = await step.run({ images: pixels, ...targetEncoder(boxes)(targets) }, 0)
  const state = await step.state()
  await step.release()
  return { result, state, network }
}

const options = (side: number, width: number, classes: number) => ({
  width,
  classes,
  imageShape: { channels: 3, height: side, width: side },
})

const cases = [
  { name: "ssd300", side: 300, model: () => ssd300(options(300, 64, 20)) },
  { name: "ssd-mobile", side: 128, model: () => ssdMobile(options(128, 8, 3)) },
] as const

// SSD300's step is 0.4 TFLOP, which a busy machine takes its time for.
describe.each(cases)("a training step of $name", { timeout: 240_000 }, ({ name, side, model }) => {
  test("has PyTorch's losses, features and gradients", async () => {
    const tensors = readSafetensors(`${folder}${name}.safetensors`)
    const expected = (key: string) => tensors.get(key)?.data as Float32Array
    const { result, state, network } = await stepOf(model(), tensors, side)
    const { observed } = result
    const found = (key: string) => observed[key] as Float32Array

    expect(relativeDifference(found("losses"), expected("losses"))).toBeLessThan(1e-4)
    const [batch, rows, columns] = (tensors.get("output") as Tensor).shape as [number, number, number]
    const all = found("output").length / batch / columns
    const stride = Math.max(1, Math.floor(all / 64))
    const sampled = found("output").filter((_, index) => (Math.floor(index / columns) % all) % stride === 0)
    expect(sampled.length).toBe(batch * rows * columns)
    expect(relativeDifference(sampled, expected("output"))).toBeLessThan(1e-4)
    const features = found("embedding").filter((_, index) => index % 16 === 0)
    expect(relativeDifference(features, expected("embedding"))).toBeLessThan(1e-4)
    const taps = [...tensors.keys()].filter((key) => key.startsWith("taps/"))
    for (const tap of taps) expect(relativeDifference(found(tap), expected(tap)), tap).toBeLessThan(1e-4)

    const trained = network.specs.filter(({ kind }) => kind === "parameter")
    expectGradients(trained, found, tensors)
    for (const key of [...tensors.keys()].filter((each) => each.startsWith("next/"))) {
      const buffer = state.parameters.get(key.slice(5))?.data as Float32Array
      expect(relativeDifference(buffer, expected(key)), key).toBeLessThan(1e-4)
    }
  })
})
