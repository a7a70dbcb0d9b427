import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { mul, reduceSum } from "../graph/build.ts"
import { Graph } from "../graph/graph.ts"
import { floatTensor } from "../graph/tensor.ts"
import { fixedPlan } from "../lowering/plan.ts"
import { zeros } from "../nn/initializers.ts"
import { createNetworkBuilder } from "../nn/network.ts"
import { compileTrainStep } from "../runtime/train-step.ts"
import { relativeDifference } from "../testing/index.ts"
import { rmsprop } from "./optimizer.ts"
import { constantSchedule } from "./schedule.ts"

/** What `fixtures/make-optimizers.py` writes. */
interface Fixture {
  readonly learningRate: number
  readonly initial: readonly number[]
  readonly gradients: readonly (readonly number[])[]
  readonly rmsprop: readonly {
    readonly smoothing: number
    readonly weightDecay: number
    /** After each step. */
    readonly parameters: readonly (readonly number[])[]
    /** After the last step. */
    readonly squares: readonly number[]
  }[]
}

const file = new URL("../../../../fixtures/optimizers.json", import.meta.url)
const fixture: Fixture = JSON.parse(readFileSync(file, "utf8"))
const shape = [fixture.initial.length]
const tensor = (numbers: readonly number[]) => floatTensor(shape, Float32Array.from(numbers))

/** A parameter whose gradient is the number that is fed beside it. */
function compile(settings: Parameters<typeof rmsprop>[0]) {
  const graph = new Graph()
  const network = createNetworkBuilder(graph, "inputs")
  const product = mul(network.parameter("weight", shape, zeros), graph.input("gradient", "float32", shape))
  const spec = {
    graph,
    network,
    loss: reduceSum(product),
    progress: graph.input("progress", "float32", []),
    observed: {},
    optimizer: rmsprop(settings),
    learningRate: fixture.learningRate,
    schedule: constantSchedule,
  }
  return compileTrainStep(spec, fixedPlan, { threads: 1 })
}

test.each(fixture.rmsprop)(
  "RMSprop moves as PyTorch's does, smoothing $smoothing and weight decay $weightDecay",
  async ({ parameters, squares, ...settings }) => {
    const step = await compile(settings)
    await step.load({ parameters: new Map([["weight", tensor(fixture.initial)]]), optimizer: new Map() })
    for (const [index, gradient] of fixture.gradients.entries()) {
      await step.run({ gradient: tensor(gradient) }, 0)
      const { parameters: now } = await step.state()
      const moved = Array.from(now.get("weight")!.data as Float32Array, (value, at) => value - fixture.initial[at]!)
      const expected = parameters[index]!.map((value, at) => value - fixture.initial[at]!)
      // Weights are near one, so that half of their last bit is 6e-8; the longest step is 2.5e-3.
      for (const [at, value] of moved.entries()) expect(Math.abs(value - expected[at]!)).toBeLessThan(2.5e-7)
    }
    const { optimizer } = await step.state()
    for (const [at, value] of (optimizer.get("squares/weight")!.data as Float32Array).entries()) {
      expect(relativeDifference([value], [squares[at]!])).toBeLessThan(1e-6)
    }
    await step.release()
  },
)

test("RMSprop goes on from a saved state to the same bits", async () => {
  const settings = { smoothing: 0.99, weightDecay: 0.01 }
  const [straight, before, after] = await Promise.all([compile(settings), compile(settings), compile(settings)])
  const start = { parameters: new Map([["weight", tensor(fixture.initial)]]), optimizer: new Map() }
  await Promise.all([straight.load(start), before.load(start)])
  for (const gradient of fixture.gradients) await straight.run({ gradient: tensor(gradient) }, 0)
  for (const gradient of fixture.gradients.slice(0, 3)) await before.run({ gradient: tensor(gradient) }, 0)
  await after.load(await before.state())
  for (const gradient of fixture.gradients.slice(3)) await after.run({ gradient: tensor(gradient) }, 0)
  expect(await after.state()).toEqual(await straight.state())
  await Promise.all([straight, before, after].map((step) => step.release()))
})
