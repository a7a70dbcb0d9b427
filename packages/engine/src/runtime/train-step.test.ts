import { describe, expect, test } from "vitest"
import { mul, reduceMean, sub } from "../graph/build.ts"
import { Graph } from "../graph/graph.ts"
import { floatTensor, sizeOf, type Tensor } from "../graph/tensor.ts"
import { fixedPlan } from "../lowering/plan.ts"
import { initializeParameters } from "../nn/initializers.ts"
import { batchNorm, conv2d, linear, pooled } from "../nn/layers.ts"
import { createNetworkBuilder } from "../nn/network.ts"
import { sgd } from "../optim/optimizer.ts"
import { constantSchedule, cosineSchedule, type Schedule, stepSchedule } from "../optim/schedule.ts"
import { createRng } from "../random/rng.ts"
import { requireRunnablePlan } from "./measure-plan.ts"
import { compileTrainStep, measureTrainingPlan, type TrainingSpec } from "./train-step.ts"

const batch = 4

/** A linear layer on two numbers, trained on squared error. */
function regression(schedule: Schedule = constantSchedule): TrainingSpec {
  const graph = new Graph()
  const b = createNetworkBuilder(graph, "inputs")
  const error = sub(linear(b, graph.input("x", "float32", [batch, 2]), 1), graph.input("y", "float32", [batch, 1]))
  const loss = reduceMean(mul(error, error))
  const progress = graph.input("progress", "float32", [])
  return {
    graph,
    network: b,
    loss,
    progress,
    observed: {},
    optimizer: sgd({ momentum: 0.9, weightDecay: 0.01 }),
    learningRate: 0.1,
    schedule,
  }
}

/** A small convolutional network with everything that training writes: weights, momentum, running statistics. */
function convolutional(): TrainingSpec {
  const graph = new Graph()
  const b = createNetworkBuilder(graph, "inputs")
  const x = graph.input("x", "float32", [batch, 3, 32, 32])
  const features = batchNorm(b.scope("bn"), conv2d(b.scope("conv"), x, { channels: 32, kernel: 3, padding: 1 }))
  const output = linear(b.scope("fc"), pooled(mul(features, features)), 1)
  const loss = reduceMean(mul(output, output))
  const progress = graph.input("progress", "float32", [])
  return {
    graph,
    network: b,
    loss,
    progress,
    observed: {},
    optimizer: sgd({ momentum: 0.9, weightDecay: 0 }),
    learningRate: 1e-3,
    schedule: constantSchedule,
  }
}

function random(shape: readonly number[], name: string): Tensor {
  const rng = createRng(name)
  return floatTensor(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()),
  )
}

const feeds = { x: random([batch, 2], "x"), y: random([batch, 1], "y") }

describe("a training step", () => {
  test("is PyTorch's SGD with momentum and weight decay, on weights and biases alike", async () => {
    const step = await compileTrainStep(regression(), fixedPlan, { threads: 1 })
    const weights = [0.5, -0.25, 0.1]
    await step.load({
      parameters: new Map([
        ["weight", floatTensor([1, 2], Float32Array.from(weights.slice(0, 2)))],
        ["bias", floatTensor([1], Float32Array.from(weights.slice(2)))],
      ]),
      optimizer: new Map(),
    })
    const velocity = [0, 0, 0]
    for (let count = 0; count < 6; count++) {
      const gradient = [0, 0, 0]
      let expectedLoss = 0
      for (let row = 0; row < batch; row++) {
        const inputs = [feeds.x.data[2 * row] as number, feeds.x.data[2 * row + 1] as number, 1]
        const error =
          inputs.reduce((sum, input, index) => sum + input * weights[index]!, 0) - (feeds.y.data[row] as number)
        expectedLoss += error ** 2 / batch
        for (const index of [0, 1, 2]) gradient[index]! += (2 * error * inputs[index]!) / batch
      }
      const { loss, learningRate } = await step.run(feeds, count / 6)
      expect(loss).toBeCloseTo(expectedLoss, 5)
      expect(learningRate).toBeCloseTo(0.1, 6)
      for (const index of [0, 1, 2]) {
        velocity[index] = 0.9 * velocity[index]! + gradient[index]! + 0.01 * weights[index]!
        weights[index]! -= 0.1 * velocity[index]!
      }
      const { parameters, optimizer } = await step.state()
      expect(Array.from(parameters.get("weight")!.data as Float32Array)[0]).toBeCloseTo(weights[0]!, 5)
      expect(Array.from(parameters.get("bias")!.data as Float32Array)[0]).toBeCloseTo(weights[2]!, 5)
      expect(Array.from(optimizer.get("momentum/bias")!.data as Float32Array)[0]).toBeCloseTo(velocity[2]!, 5)
    }
    await step.release()
  })

  test.each([
    ["step", stepSchedule([0.5, 0.75], 0.1), [0.1, 0.1, 0.01, 0.001]],
    ["cosine", cosineSchedule, [0.1, 0.0853553, 0.05, 0.0146447]],
  ] as const)("the %s schedule follows progress", async (_, schedule, expected) => {
    const step = await compileTrainStep(regression(schedule), fixedPlan, { threads: 1 })
    for (const [count, rate] of expected.entries())
      expect((await step.run(feeds, count / 4)).learningRate).toBeCloseTo(rate, 6)
    await step.release()
  })

  test("goes on from a saved state to the same bits", async () => {
    const spec = convolutional()
    const images = { x: random([batch, 3, 32, 32], "images") }
    const step = await compileTrainStep(spec, fixedPlan, { threads: 2 })
    await step.load({
      parameters: initializeParameters(spec.network.specs, createRng("weights")),
      optimizer: new Map(),
    })
    for (let count = 0; count < 3; count++) await step.run(images, 0)
    const saved = await step.state()
    for (let count = 0; count < 4; count++) await step.run(images, 0)
    const straight = await step.state()
    const other = await compileTrainStep(convolutional(), fixedPlan, { threads: 2 })
    await other.load(saved)
    for (let count = 0; count < 4; count++) await other.run(images, 0)
    expect(await other.state()).toEqual(straight)
    expect(straight).not.toEqual(saved)
    await step.release()
    await other.release()
  })

  test("does not grow over a thousand steps", async () => {
    const spec = convolutional()
    const step = await compileTrainStep(spec, fixedPlan, { threads: 1 })
    await step.load({
      parameters: initializeParameters(spec.network.specs, createRng("weights")),
      optimizer: new Map(),
    })
    const images = { x: random([batch, 3, 32, 32], "images") }
    const megabytes = async (steps: number) => {
      for (let count = 0; count < steps; count++) await step.run(images, 0)
      return process.memoryUsage().rss / 2 ** 20
    }
    const warm = await megabytes(300)
    // One leaked activation map of this network would add 512 KB a step.
    expect((await megabytes(1000)) - warm).toBeLessThan(60)
    await step.release()
  })

  test("a measured plan names a way for every product, and one from another processor is refused", async () => {
    const plan = await measureTrainingPlan(convolutional(), { threads: 1 })
    expect(Object.keys(plan).map((key) => key.split(" ")[0])).toEqual(["forward", "weight-gradient"])
    await expect(requireRunnablePlan(plan)).resolves.toBe(undefined)
    const foreign = { "forward anything": "blocked-8", "weight-gradient anything": "swapped-blocked-16" }
    await expect(requireRunnablePlan(foreign)).rejects.toThrow(/engine\.lowerings.*another processor/)
  })

  test("errors of the compute thread arrive as they were thrown", async () => {
    const step = await compileTrainStep(regression(), fixedPlan, { threads: 1 })
    await expect(step.load({ parameters: new Map(), optimizer: new Map() })).rejects.toThrow(
      /state of weight: expected \[1,2\], got none/,
    )
    await expect(step.run({ x: feeds.x }, 0)).rejects.toThrow(/input 'y' is missing/)
    expect((await step.run(feeds, 0)).loss).toBeGreaterThan(0)
    await step.release()
  })
})
