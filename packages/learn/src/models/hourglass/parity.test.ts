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
  rmsprop,
  type StepResult,
  type Tensor,
  type TrainingState,
  type Value,
} from "@learnloss/engine"
import { relativeDifference } from "@learnloss/engine/testing"
import { describe, expect, test } from "vitest"
import type { PersonTarget } from "../../data/people.ts"
import { heatmapLoss } from "../../tasks/pose/heatmap-loss.ts"
import { encodePeople, type PoseTargets, targetInputsOf } from "../../tasks/pose/targets.ts"
import { expectGradients, filled, madeUp, samplesOf } from "../made-up.test-suite.ts"
import type { Model } from "../model.ts"
import { hourglass, hourglass2 } from "./hourglass.ts"

const folder = new URL("../../../../../fixtures/hourglass/", import.meta.url).pathname
const joints = 16

/** Biases of fixtures/make-hourglass.py. */
const [large, small] = [/^(bn1|layer\d|res|fc|hg\.\d\.hg\.3)\..*bias$/, /^hg\..*bias$/]

/** Rate of the steps in fixtures/make-hourglass.py. */
const learningRate = 2.5e-4

type Shifts = NonNullable<Parameters<typeof filled>[1]>

interface Outcome {
  readonly result: StepResult
  readonly state: TrainingState
  readonly network: ReturnType<typeof createNetworkBuilder>
}

/** The people of a fixture, in crops whose sides are one. */
function peopleOf(tensors: ReadonlyMap<string, Tensor>): PersonTarget[] {
  const numbers = (name: string) => Array.from(tensors.get(name)?.data ?? [], Number)
  const [places, weights] = [numbers("joints"), numbers("weights")]
  return Array.from({ length: weights.length / joints }, (_, person) => ({
    width: 1,
    height: 1,
    joints: Array.from({ length: joints }, (_, joint) => {
      const at = person * joints + joint
      return { x: places[2 * at] as number, y: places[2 * at + 1] as number, visibility: weights[at] === 1 ? 2 : 0 }
    }),
    crop: { center: [0.5, 0.5], side: 1 },
    box: null,
    area: null,
    head: null,
    imageId: "image",
  }))
}

/** Makes one training step of a network on the people that the fixture names. */
async function stepOf(
  model: Model,
  tensors: ReadonlyMap<string, Tensor>,
  { side, shifts, seed }: { readonly side: number; readonly shifts: Shifts; readonly seed: number },
): Promise<Outcome> {
  const people = peopleOf(tensors)
  const batch = people.length
  const graph = new Graph()
  const network = createNetworkBuilder(graph, "inputs")
  const images = graph.input("images", "float32", [batch, 3, side, side])
  const { output, taps, embedding } = model.build(network, [images])
  const targets = Object.fromEntries(
    targetInputsOf(joints).map(({ name, dtype, shape }) => [name, graph.input(name, dtype, [batch, ...shape])]),
  ) as unknown as PoseTargets<Value>
  const losses = heatmapLoss(output, targets)
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
      optimizer: rmsprop({ smoothing: 0.99, weightDecay: 0 }),
      learningRate,
      schedule: constantSchedule,
    },
    fixedPlan,
    { threads: 2 },
  )
  await step.load({ parameters: filled(network.specs, shifts), optimizer: new Map() })
  const pixels = floatTensor([batch, 3, side, side], madeUp(batch * 3 * side * side, 1000 + seed))
  const result = await step.run({ images: pixels, ...encodePeople(people, joints) }, 0)
  const state = await step.state()
  await step.release()
  return { result, state, network }
}

const options = (side: number, width: number, settings: { stacks: number; blocks: number; innerTaps: boolean }) => ({
  width,
  classes: joints,
  imageShape: { channels: 3, height: side, width: side },
  hourglass: settings,
})

const cases = [
  {
    name: "hourglass2",
    step: {
      side: 128,
      shifts: [
        [large, 3.5],
        [small, 2],
      ],
      seed: 3,
    },
    model: () => hourglass2(options(128, 64, { stacks: 2, blocks: 1, innerTaps: false })),
  },
  {
    name: "hourglass",
    step: { side: 128, shifts: [[large, 2]], seed: 1 },
    model: () => hourglass(options(128, 4, { stacks: 1, blocks: 2, innerTaps: true })),
  },
] as const

// A busy machine takes its time for the paper's network, and for making up its 6.7 million weights.
describe.each(cases)("a training step of $name", { timeout: 240_000 }, ({ name, step, model }) => {
  test("has PyTorch's losses, heat-maps, gradients and statistics, and moves parameters as RMSprop does", async () => {
    const tensors = readSafetensors(`${folder}${name}.safetensors`)
    const expected = (key: string) => tensors.get(key)?.data as Float32Array
    const { result, state, network } = await stepOf(model(), tensors, step)
    const found = (key: string) => result.observed[key] as Float32Array

    expect(relativeDifference(found("losses"), expected("losses"))).toBeLessThan(1e-4)
    const sampled = found("output").filter((_, index) => index % 61 === 0)
    expect(sampled.length).toBe(expected("output").length)
    expect(relativeDifference(sampled, expected("output"))).toBeLessThan(1e-4)
    expect(relativeDifference(found("embedding"), expected("embedding"))).toBeLessThan(1e-4)
    const taps = [...tensors.keys()].filter((key) => key.startsWith("taps/"))
    expect(taps.length).toBe(name === "hourglass2" ? 2 : 5)
    for (const tap of taps) expect(relativeDifference(found(tap), expected(tap)), tap).toBeLessThan(1e-4)

    const trained = network.specs.filter(({ kind }) => kind === "parameter")
    expectGradients(trained, found, tensors)
    const before = filled(network.specs, step.shifts)
    for (const { name: parameter } of trained) {
      const [, largest, ...samples] = expected(`gradient/${parameter}`)
      const [start, after] = [before, state.parameters].map((map) =>
        samplesOf(map.get(parameter)?.data as Float32Array, samples.length),
      ) as [number[], number[]]
      const wanted = expected(`next/${parameter}`)
      for (const [index, gradient] of samples.entries()) {
        // The first step is ten rates up or down, whatever the gradient's size: one that is next to nothing tells nothing.
        if (Math.abs(gradient) < 2e-3 * (largest as number)) continue
        expect(after[index], `${parameter} ${index}`).toBeCloseTo(wanted[index] as number, 5)
        expect(after[index], `${parameter} ${index}`).not.toBeCloseTo(start[index] as number, 5)
      }
    }
    for (const { name: buffer } of network.specs.filter(({ kind }) => kind === "buffer")) {
      const numbers = state.parameters.get(buffer)?.data as Float32Array
      expect(relativeDifference(numbers, expected(`next/${buffer}`)), buffer).toBeLessThan(1e-4)
    }
  })
})
