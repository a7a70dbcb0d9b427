import { describe, expect, test } from "vitest"
import { encodeModel } from "../graph/codec.ts"
import { Graph, type Value } from "../graph/graph.ts"
import { floatTensor, sizeOf, type Tensor } from "../graph/tensor.ts"
import { createRng } from "../random/rng.ts"
import { createSession } from "../runtime/ort.ts"
import { checkGradients, type GradientCase } from "../testing/finite-differences.ts"
import { heUniform, xavierUniform, zeros } from "./initializers.ts"
import { conv2d, doubled, halved, l2Norm } from "./layers.ts"
import { createNetworkBuilder, type NetworkBuilder } from "./network.ts"

const rng = createRng("layers")

/** A builder whose parameters are the given values. */
function builderOf(graph: Graph, values: Readonly<Record<string, Value>>): NetworkBuilder {
  return { ...createNetworkBuilder(graph, "inputs"), parameter: (name) => values[name] as Value }
}

const convolution = (options: Parameters<typeof conv2d>[2], weight: readonly number[]): GradientCase => ({
  inputs: [{ shape: [2, 4, 6, 5] }, { shape: weight }, { shape: [options.channels] }],
  build: (x, w, bias) => conv2d(builderOf(x.graph, { weight: w as Value, bias: bias as Value }), x, options),
})

const cases: Readonly<Record<string, GradientCase>> = {
  "a convolution with a bias": convolution({ channels: 3, kernel: 3, padding: 1, bias: zeros }, [3, 4, 3, 3]),
  "a dilated convolution": convolution({ channels: 2, kernel: 3, padding: 3, dilation: 3, bias: zeros }, [2, 4, 3, 3]),
  "a convolution in groups": convolution({ channels: 4, kernel: 3, stride: 2, groups: 4, bias: zeros }, [4, 1, 3, 3]),
  "scaled lengths": {
    inputs: [{ shape: [2, 3, 2, 4] }, { shape: [3] }],
    build: (x, weight) => l2Norm(builderOf(x.graph, { weight: weight as Value }), x, 20),
  },
  "halved odd maps": {
    inputs: [{ shape: [2, 2, 5, 3], draw: (stream) => 0.2 + stream.integer(1000) / 10 }],
    build: halved,
    step: 0.01,
  },
  "maps doubled in training": {
    inputs: [{ shape: [2, 3, 2, 5] }],
    build: (x) => doubled(createNetworkBuilder(x.graph, "inputs"), x),
  },
}

async function run(inputs: readonly Tensor[], build: (...values: Value[]) => Readonly<Record<string, Value>>) {
  const graph = new Graph()
  const values = inputs.map(({ dtype, shape }, index) => graph.input(`x${index}`, dtype, shape))
  const session = await createSession(encodeModel(graph, build(...values)), { threads: 1 })
  const outcome = await session.run(Object.fromEntries(inputs.map((tensor, index) => [`x${index}`, tensor])))
  await session.release()
  return outcome
}

function doubledBothWays(x: Tensor): Promise<Record<string, Tensor>> {
  return run([x], (value) => ({
    training: doubled(createNetworkBuilder(value.graph, "inputs"), value),
    evaluation: doubled(createNetworkBuilder(value.graph, new Map()), value),
  }))
}

describe("layers", () => {
  test.each(Object.entries(cases))("gradients of %s are those of finite differences", async (name, each) => {
    const { differences } = await checkGradients(each, rng.child(name))
    for (const difference of differences) expect(difference).toBeLessThan(2e-3)
  })

  test("features at a position have the scale as their length, and zeros stay zeros", async () => {
    const x = floatTensor([1, 2, 1, 2], Float32Array.of(3, 0, -4, 0))
    const scales = floatTensor([2], Float32Array.of(10, 5))
    const { y } = await run([x, scales], (value, weight) => ({
      y: l2Norm(builderOf(value.graph, { weight: weight as Value }), value, 20),
    }))
    expect([...(y as Tensor).data].map(Number)).toEqual([6, 0, -4, 0].map((each) => expect.closeTo(each, 5)))
  })

  test("odd maps are halved upwards", async () => {
    const x = floatTensor([1, 1, 3, 3], Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9))
    const { y } = await run([x], (value) => ({ y: halved(value) }))
    expect(y?.shape).toEqual([1, 1, 2, 2])
    expect([...(y as Tensor).data].map(Number)).toEqual([5, 6, 8, 9])
  })

  test("doubled maps have every number four times, side by side", async () => {
    const x = floatTensor([1, 2, 2, 1], Float32Array.of(1, -2, 0.1, 4))
    const numbers = [1, 1, 1, 1, -2, -2, -2, -2, 0.1, 0.1, 0.1, 0.1, 4, 4, 4, 4]
    for (const y of Object.values(await doubledBothWays(x))) {
      expect(y.shape).toEqual([1, 2, 4, 2])
      expect([...y.data].map(Number)).toEqual(numbers.map(Math.fround))
    }
  })

  test.each([
    [2, 16, 8, 8],
    [3, 5, 7, 4],
    [1, 256, 1, 33],
  ])("maps are doubled to the same bits in training and in evaluation, [%i, %i, %i, %i]", async (...shape) => {
    const draw = rng.child(`doubled ${shape}`)
    const numbers = Float32Array.from({ length: sizeOf(shape) }, () => draw.normal())
    const { training, evaluation } = await doubledBothWays(floatTensor(shape, numbers))
    expect(training?.data).toEqual(evaluation?.data)
  })
})

describe("first values", () => {
  const varianceOf = ({ data }: Tensor) =>
    Array.from(data, Number).reduce((sum, each) => sum + each ** 2, 0) / data.length

  test("have the variances of He and of Glorot", () => {
    const shape = [64, 32, 3, 3]
    expect(varianceOf(heUniform(32 * 9)(shape, rng)) / (2 / (32 * 9))).toBeCloseTo(1, 1)
    expect(varianceOf(xavierUniform(32 * 9, 64 * 9)(shape, rng)) / (2 / (96 * 9))).toBeCloseTo(1, 1)
  })
})
