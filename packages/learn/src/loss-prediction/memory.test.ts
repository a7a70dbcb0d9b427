import {
  compileTrainStep,
  constantSchedule,
  createNetworkBuilder,
  createRng,
  fixedPlan,
  floatTensor,
  Graph,
  initializeParameters,
  op,
  sgd,
  sizeOf,
  type TensorMap,
} from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import { lossModule } from "./module.ts"
import { objectives } from "./objectives.ts"

const [batch, width, channels, statistics] = [4, 3, 5, 2]

/** The module alone, on features that are fed, with a memory. */
function moduleGraph(size: number) {
  const graph = new Graph()
  const network = createNetworkBuilder(graph, "inputs")
  const input = (name: string, ...shape: number[]) => graph.input(name, "float32", [batch, ...shape])
  const targetLoss = input("target loss")
  const { predictedLoss, remembered } = lossModule(network.scope("lossModule"), [input("features", channels)], {
    width,
    gradient: { kind: "stopped" },
    outputStatistics: input("statistics", statistics),
    memory: { size, targetLoss },
  })
  return {
    graph,
    network,
    loss: objectives.ranking.loss(predictedLoss, targetLoss, { margin: 1, pairs: "all" }, remembered),
    progress: graph.input("progress", "float32", []),
    observed: { predictedLoss },
    optimizer: sgd({ momentum: 0.9, weightDecay: 0.01 }),
    learningRate: 0.05,
    schedule: constantSchedule,
  }
}

interface Sample {
  readonly features: readonly number[]
  readonly statistics: readonly number[]
  readonly targetLoss: number
}

const rows = (data: ArrayLike<number>, length: number, row: number) =>
  Array.from({ length }, (_, column) => data[row * length + column] as number)

function drawBatch(step: number) {
  const rng = createRng(`step ${step}`)
  const draw = (...shape: number[]) =>
    floatTensor(
      shape,
      Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()),
    )
  const feeds = {
    features: draw(batch, channels),
    statistics: draw(batch, statistics),
    "target loss": draw(batch),
  }
  const samples = Array.from(
    { length: batch },
    (_, row): Sample => ({
      features: rows(feeds.features.data as Float32Array, channels, row),
      statistics: rows(feeds.statistics.data as Float32Array, statistics, row),
      targetLoss: feeds["target loss"].data[row] as number,
    }),
  )
  return { feeds, samples }
}

/** What the module with these weights says of a sample, in double precision. */
function predict(weights: TensorMap, { features, statistics }: Sample): number {
  const data = (name: string) => weights.get(`lossModule.${name}`)?.data as Float32Array
  const layer = (name: string, x: readonly number[], outputs: number) =>
    Array.from({ length: outputs }, (_, row) =>
      x.reduce(
        (sum, value, index) => sum + value * data(`${name}.weight`)[row * x.length + index]!,
        data(`${name}.bias`)[row]!,
      ),
    )
  const branches = [...layer("fc.0", features, width), ...layer("outputs", statistics, width)]
  return layer(
    "out",
    branches.map((value) => Math.max(0, value)),
    1,
  )[0]!
}

function rankingOf(samples: readonly Sample[], memory: readonly Sample[], weights: TensorMap): number {
  const pairs = samples.flatMap((sample, index) =>
    [...samples.slice(index + 1), ...memory].map((other) => [sample, other] as const),
  )
  const costs = pairs.map(([one, other]) => {
    const order = Math.sign(one.targetLoss - other.targetLoss)
    return Math.max(0, 1 - order * (predict(weights, one) - predict(weights, other)))
  })
  return costs.reduce((sum, cost) => sum + cost) / costs.length
}

describe("the memory of the loss module", () => {
  test.each([3, 4, 10])(
    "of %i samples holds the latest ones, of which the module of now says something new at every step",
    async (size) => {
      const spec = moduleGraph(size)
      const step = await compileTrainStep(spec, fixedPlan, { threads: 1 })
      const parameters = initializeParameters(spec.network.specs, createRng("weights"))
      await step.load({ parameters, optimizer: new Map() })
      let memory: Sample[] = []
      for (let count = 0; count < 6; count++) {
        const { feeds, samples } = drawBatch(count)
        const { parameters: weights } = await step.state()
        const filled = Array.from({ length: size }, (_, place) => (place < memory.length ? 1 : 0))
        expect(Array.from(weights.get("lossModule.memory.isFilled")!.data as Float32Array)).toEqual(filled)
        const { loss, observed } = await step.run(feeds, 0)
        const expected = rankingOf(samples, memory, weights)
        expect(Math.abs(loss / expected - 1), `step ${count}`).toBeLessThan(1e-5)
        for (const [row, sample] of samples.entries())
          expect(observed.predictedLoss?.[row]).toBeCloseTo(predict(weights, sample), 5)
        memory = [...samples, ...memory].slice(0, size)
      }
      await step.release()
    },
  )

  test("is no part of the module that predicts", async () => {
    const spec = moduleGraph(8)
    const kinds = new Map(spec.network.specs.map(({ name, kind }) => [name, kind]))
    const buffers = [...kinds].flatMap(([name, kind]) => (kind === "buffer" ? [name] : []))
    expect(buffers).toEqual(["fc.0", "outputs", "targetLoss", "isFilled"].map((name) => `lossModule.memory.${name}`))
    const graph = new Graph()
    const weights = initializeParameters(spec.network.specs, createRng("weights"))
    const network = createNetworkBuilder(graph, weights)
    const { remembered, predictedLoss } = lossModule(
      network.scope("lossModule"),
      [graph.input("features", "float32", [batch, channels])],
      {
        width,
        gradient: { kind: "stopped" },
        outputStatistics: graph.input("statistics", "float32", [batch, statistics]),
      },
    )
    expect(remembered).toBe(undefined)
    expect(predictedLoss.shape).toEqual([batch])
    expect(network.specs.map(({ name }) => name)).toEqual(
      [...kinds].flatMap(([name, kind]) => (kind === "parameter" ? [name] : [])),
    )
  })

  test("sends gradients into the network from the samples of the batch alone", async () => {
    const graph = new Graph()
    const network = createNetworkBuilder(graph, "inputs")
    const scale = network.parameter("scale", [1], () => floatTensor([1], Float32Array.of(1)))
    const targetLoss = graph.input("target loss", "float32", [batch])
    const features = op.mul(graph.input("features", "float32", [batch, channels]), scale)
    const factor = graph.input("factor", "float32", [])
    const { predictedLoss, remembered } = lossModule(network.scope("lossModule"), [features], {
      width,
      gradient: { kind: "scaled", factor },
      memory: { size: 4, targetLoss },
    })
    const loss = objectives.ranking.loss(predictedLoss, targetLoss, { margin: 1, pairs: "halves" }, remembered)
    const spec = {
      ...moduleGraph(1),
      graph,
      network,
      loss,
      observed: {},
      optimizer: sgd({ momentum: 0, weightDecay: 0 }),
    }
    const step = await compileTrainStep({ ...spec, progress: graph.input("progress", "float32", []) }, fixedPlan, {
      threads: 1,
    })
    const start = initializeParameters(network.specs, createRng("weights"))
    const scaleAfter = async (isTaught: number) => {
      await step.load({ parameters: start, optimizer: new Map() })
      for (let count = 0; count < 3; count++) {
        const { feeds } = drawBatch(count)
        await step.run(
          {
            features: feeds.features,
            "target loss": feeds["target loss"],
            factor: floatTensor([], Float32Array.of(isTaught)),
          },
          0,
        )
      }
      return Number((await step.state()).parameters.get("scale")?.data[0])
    }
    expect(await scaleAfter(0)).toBe(1)
    expect(await scaleAfter(1)).not.toBe(1)
    await step.release()
  })
})
