import { describe, expect, test } from "vitest"
import { relativeDifference } from "../../graph/compare.ts"
import { Graph, type Value } from "../../graph/graph.ts"
import { floatTensor, type Shape, sizeOf, type Tensor } from "../../graph/tensor.ts"
import { createNetworkBuilder, type ParameterSource } from "../../nn/network.ts"
import { createRng } from "../../random/rng.ts"
import { compileEvaluation } from "../../runtime/evaluation.ts"
import type { OnnxModel } from "../model.ts"
import { Drawing, decoded } from "./drawing.test-suite.ts"
import { type ImportOptions, importNetwork } from "./network.ts"
import { storedParameters } from "./parameters.ts"

const rng = createRng("training mode")
const random = (...shape: Shape) =>
  floatTensor(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()),
  )
const sampleShape = [4, 3, 2, 5]

function model(draw: (d: Drawing) => string, opset = 14): OnnxModel {
  const d = new Drawing()
  const output = draw(d)
  return decoded(d.written({ opset, inputs: [{ name: "x", shape: ["n", 3, 2, 5] }], outputs: [output] }))
}

function build(network: OnnxModel, source: ParameterSource, options: Partial<ImportOptions> = {}) {
  const graph = new Graph()
  const builder = createNetworkBuilder(graph, source)
  const given = new Map([["x", graph.input("x", "float32", sampleShape)]])
  const wanted = network.outputs.map(({ name }) => name)
  const values = importNetwork(builder, network, { wanted, given, batch: 4, ...options })
  return { graph, builder, y: values.get(wanted[0] as string) as Value }
}

const weightsOf = (network: OnnxModel) =>
  new Map([...storedParameters(network)].map(([name, { tensor }]) => [name, tensor.read()]))

async function run(graph: Graph, outputs: Record<string, Value>, feeds: Record<string, Tensor>) {
  const evaluation = await compileEvaluation(graph, outputs, { threads: 1 })
  const used = new Set(graph.inputs.map(({ name }) => name))
  const results = await evaluation.run(Object.fromEntries(Object.entries(feeds).filter(([name]) => used.has(name))))
  await evaluation.release()
  return results as Record<string, Tensor>
}

/** Mean and biased variance of each channel of [N, C, H, W]. */
function statisticsOf({ shape, data }: Tensor): { mean: number[]; variance: number[] } {
  const [, channels, ...rest] = shape as [number, number, ...number[]]
  const inner = sizeOf(rest)
  const of = (channel: number) =>
    [...(data as Float32Array)].filter((_, at) => Math.floor(at / inner) % channels === channel)
  const mean = (numbers: number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length
  const lists = Array.from({ length: channels }, (_, channel) => of(channel))
  return { mean: lists.map(mean), variance: lists.map((list) => mean(list.map((each) => (each - mean(list)) ** 2))) }
}

describe("an imported batch normalisation", () => {
  const variance = floatTensor([3], Float32Array.of(0.5, 1.5, 2.5))
  const network = model((d) => {
    const parts = ["scale", "shift", "mean"].map((name) => d.store(name, random(3)))
    return d.node("BatchNormalization", ["x", ...parts, d.store("variance", variance)], { momentum: 0.75 })
  })
  const x = random(...sampleShape)

  test("moves its statistics by one minus the momentum towards the batch's, the variance being the unbiased one", async () => {
    const { graph, builder } = build(network, "inputs")
    const { mean, variance: batchVariance } = statisticsOf(x)
    const updates = ["mean", "variance"].map((name) => builder.bufferUpdates.get(name)!)
    expect(updates.map(({ share }) => share)).toEqual([0.25, 0.25])
    const feeds = Object.fromEntries(
      builder.specs.map(({ name, shape }) => [`parameter ${name}`, weightsOf(network).get(name) ?? floatTensor(shape)]),
    )
    const outputs = { mean: updates[0]!.observed, variance: updates[1]!.observed }
    const results = await run(graph, outputs, { x, ...feeds })
    expect(relativeDifference(results.mean!.data as Float32Array, mean)).toBeLessThan(1e-5)
    const unbiased = batchVariance.map((each) => (each * 40) / 39)
    expect(relativeDifference(results.variance!.data as Float32Array, unbiased)).toBeLessThan(1e-5)
  })

  test("normalises by the batch in training and by its statistics afterwards", async () => {
    const weights = weightsOf(network)
    const numbers = (name: string) => weights.get(name)!.data as Float32Array
    const normalised = (mean: ArrayLike<number>, spread: ArrayLike<number>) =>
      Float32Array.from(x.data as Float32Array, (each, at) => {
        const channel = Math.floor(at / 10) % 3
        const scaled = ((each - mean[channel]!) / Math.sqrt(spread[channel]! + 1e-5)) * numbers("scale")[channel]!
        return scaled + numbers("shift")[channel]!
      })
    const training = build(network, "inputs")
    const feeds = Object.fromEntries([...weights].map(([name, tensor]) => [`parameter ${name}`, tensor]))
    const { y } = await run(training.graph, { y: training.y }, { x, ...feeds })
    const batch = statisticsOf(x)
    expect(relativeDifference(y!.data as Float32Array, normalised(batch.mean, batch.variance))).toBeLessThan(1e-4)
    const later = build(network, weights)
    const { y: evaluated } = await run(later.graph, { y: later.y }, { x })
    expect(
      relativeDifference(evaluated!.data as Float32Array, normalised(numbers("mean"), numbers("variance"))),
    ).toBeLessThan(1e-5)
  })

  test("keeps its statistics where norms are frozen, and still trains scale and shift", () => {
    const { builder, y } = build(network, "inputs", { freezeNorm: true })
    expect(builder.specs.map(({ name, kind }) => [name, kind])).toEqual([
      ["scale", "parameter"],
      ["shift", "parameter"],
    ])
    expect(builder.bufferUpdates.size).toBe(0)
    expect(y.graph.producerOf(y)).toMatchObject({ op: "BatchNormalization", attributes: { training: false } })
  })

  test("keeps its statistics where its scale is frozen", () => {
    const { builder } = build(network, "inputs", { isFrozen: (name) => name === "scale" })
    expect(builder.specs.map(({ name }) => name)).toEqual(["shift"])
  })

  test("that is used twice moves its statistics twice, one use after the other", async () => {
    const shared = model((d) => {
      const parts = ["scale", "shift", "mean", "variance"].map((name) => d.store(name, random(3)))
      const once = d.node("BatchNormalization", ["x", ...parts])
      return d.node("BatchNormalization", [d.node("Mul", [once, once]), ...parts])
    })
    const { graph, builder, y } = build(shared, "inputs")
    const uses = [y.graph.producerOf(y)!, graph.nodes.find(({ op }) => op === "BatchNormalization")!]
    const { observed, share } = builder.bufferUpdates.get("mean")!
    expect(share).toBeCloseTo(1 - 0.9 * 0.9, 6)
    const means = { second: uses[0]!.outputs[1]!, first: uses[1]!.outputs[1]! }
    const x = random(...sampleShape)
    const weights = Object.fromEntries([...weightsOf(shared)].map(([name, tensor]) => [`parameter ${name}`, tensor]))
    const results = await run(graph, { observed, ...means }, { x, ...weights })
    const [first, second] = ["first", "second"].map((name) => [...(results[name]!.data as Float32Array)])
    const expected = first!.map((each, channel) => (0.1 * 0.9 * each + 0.1 * second![channel]!) / share)
    expect(relativeDifference(results.observed!.data as Float32Array, expected)).toBeLessThan(1e-5)
  })

  test("is put back into training mode whether it was exported in it or not", () => {
    const exported = (attributes: Record<string, number>) =>
      model((d) => {
        const parts = ["scale", "shift", "mean", "variance"].map((name) => d.store(name, random(3)))
        const outputs = ["y", ...(attributes.training_mode === 1 ? ["next mean", "next variance"] : [])]
        return d.split("BatchNormalization", ["x", ...parts], attributes, outputs)[0] as string
      })
    for (const training_mode of [0, 1]) {
      const { builder } = build(exported({ training_mode }), "inputs")
      expect([...builder.bufferUpdates.keys()]).toEqual(["mean", "variance"])
    }
  })
})

describe("an imported dropout", () => {
  const input = (d: Drawing) => d.node("Dropout", ["x", d.scalar(0.25)])
  const attribute = (d: Drawing) => d.node("Dropout", ["x"], { ratio: 0.25 })

  test.each([
    ["an input", model(input), 0.25],
    ["an attribute", model(attribute, 11), 0.25],
    ["neither", model((d) => d.node("Dropout", ["x"])), 0.5],
  ] as const)("with its ratio in %s keeps what the noise says and scales it", async (_, network, ratio) => {
    const { graph, builder, y } = build(network, "inputs")
    expect(builder.noiseInputs.map(({ shape }) => shape)).toEqual([sampleShape])
    const x = random(...sampleShape)
    const noise = floatTensor(
      sampleShape,
      Float32Array.from({ length: sizeOf(sampleShape) }, () => rng.float()),
    )
    const results = await run(graph, { y }, { x, [builder.noiseInputs[0]!.name]: noise })
    const kept = (at: number) => (noise.data[at]! >= ratio ? 1 / (1 - ratio) : 0)
    const expected = Float32Array.from(x.data as Float32Array, (each, at) => each * kept(at))
    expect(relativeDifference(results.y!.data as Float32Array, expected)).toBeLessThan(1e-6)
  })

  test("does nothing in evaluation", () => {
    const { graph, builder, y } = build(model(input), new Map())
    expect(y).toBe(graph.inputs[0])
    expect(builder.noiseInputs).toEqual([])
  })

  test("goes on where norms are frozen: only their statistics are kept", () => {
    expect(build(model(input), "inputs", { freezeNorm: true }).builder.noiseInputs).toHaveLength(1)
  })

  test("draws anew for each of several", () => {
    const { builder } = build(
      model((d) => d.node("Add", [input(d), input(d)])),
      "inputs",
    )
    expect(new Set(builder.noiseInputs).size).toBe(2)
  })

  test("of nothing, or of everything, is told apart", () => {
    const of = (ratio: number) => model((d) => d.node("Dropout", ["x", d.scalar(ratio)]))
    expect(build(of(0), "inputs").builder.noiseInputs).toEqual([])
    expect(() => build(of(1), "inputs")).toThrow(/Dropout node ".+": expected a ratio in 0\.\.1, got 1/)
  })
})
