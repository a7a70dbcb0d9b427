import { type PoseLossDivisor, poseLossDivisors } from "@learnloss/contract"
import {
  compileEvaluation,
  fixedPlan,
  floatTensor,
  Graph,
  gradients,
  op,
  readSafetensors,
  type Tensor,
  type Value,
} from "@learnloss/engine"
import { relativeDifference } from "@learnloss/engine/testing"
import { describe, expect, test } from "vitest"
import { decodePose } from "./decode-pose.ts"
import { gaussianMaps, heatmapLoss } from "./heatmap-loss.ts"
import { heatmapEntropy, heatmapUnconfidence, outputStatistics } from "./heatmap-signals.ts"

const tensors = readSafetensors(new URL("../../../../../fixtures/pose.safetensors", import.meta.url).pathname)

function stored(name: string): Tensor {
  const tensor = tensors.get(name)
  if (tensor === undefined) throw new Error(`no tensor ${name}`)
  return tensor
}

function numbers(tensor: Tensor | undefined): Float32Array {
  return tensor?.data as Float32Array
}

/** Runs a graph that is built from inputs of the given names, which are fed with the stored tensors. */
async function run(names: readonly string[], build: (...inputs: Value[]) => Record<string, Value>) {
  const graph = new Graph()
  const inputs = names.map((name) => graph.input(name, stored(name).dtype, stored(name).shape))
  const session = await compileEvaluation(graph, build(...inputs), { threads: 1 }, fixedPlan)
  const found = await session.run(Object.fromEntries(names.map((name) => [name, stored(name)])))
  await session.release()
  return found
}

/** Entropy of the softmax of one Gaussian less that of a flat map, in double precision. */
function entropyOfPeak(height: number, side: number): number {
  const distances = Array.from({ length: side }, (_, pixel) => pixel + 0.5)
  const along = (center: number) => distances.map((at) => Math.exp(-((at - center * side) ** 2) / 2))
  const values = along(0.7).flatMap((y) => along(0.4).map((x) => height * x * y))
  const total = values.reduce((sum, value) => sum + Math.exp(value), 0)
  const entropy = values.reduce((sum, value) => sum - (Math.exp(value) / total) * (value - Math.log(total)), 0)
  return entropy - Math.log(side * side)
}

describe("heat-maps of joints", () => {
  test("are Gaussians around places between pixels, as PyTorch computes them", async () => {
    const [, , height, width] = stored("maps").shape as [number, number, number, number]
    const { maps } = await run(["joints"], (joints) => ({ maps: gaussianMaps(joints as Value, height, width) }))
    expect(maps?.shape).toEqual(stored("maps").shape)
    expect(relativeDifference(numbers(maps), numbers(stored("maps")))).toBeLessThan(1e-6)
  })

  test.each(poseLossDivisors)("have PyTorch's loss and gradient, divided by %s", async (divisor: PoseLossDivisor) => {
    const { loss, gradient } = await run(["output", "joints", "weights"], (...inputs) => {
      const [output, joints, weights] = inputs as [Value, Value, Value]
      const losses = heatmapLoss(output, { joints, weights }, divisor)
      const weighted = op.reduceSum(op.mul(losses, output.graph.constant(stored("factors"))))
      return { loss: losses, gradient: gradients(output.graph, weighted, [output])[0] as Value }
    })
    expect(loss?.shape).toEqual([5])
    expect(numbers(loss)[3]).toBe(0)
    expect(relativeDifference(numbers(loss), numbers(stored(`${divisor}/loss`)))).toBeLessThan(1e-6)
    expect(relativeDifference(numbers(gradient), numbers(stored(`${divisor}/gradient`)))).toBeLessThan(1e-6)
  })

  test("give the signals that PyTorch computes in double precision", async () => {
    const found = await run(["output"], (output) => ({
      statistics: outputStatistics(output as Value),
      entropy: heatmapEntropy(output as Value),
      unconfidence: heatmapUnconfidence(output as Value),
    }))
    expect(found.statistics?.shape).toEqual([5, 12])
    for (const name of ["statistics", "entropy", "unconfidence"]) {
      expect(relativeDifference(numbers(found[name]), numbers(stored(name)))).toBeLessThan(1e-5)
    }
  })

  test("have an entropy that tells faint peaks from clear ones in single precision, flat as a softmax of them is", async () => {
    const [count, side] = [81, 64]
    const graph = new Graph()
    const heights = Float32Array.from({ length: count }, (_, index) => 0.2 + index / 100)
    const clear = gaussianMaps(graph.constant(floatTensor([1, 1, 2], Float32Array.of(0.4, 0.7))), side, side)
    const maps = op.mul(clear, graph.constant(floatTensor([count, 1, 1, 1], heights)))
    const entropy = heatmapEntropy(op.reshape(maps, [count, 1, 1, side, side]))
    const session = await compileEvaluation(graph, { entropy }, { threads: 1 }, fixedPlan)
    const found = numbers((await session.run({})).entropy)
    await session.release()
    for (const [index, height] of heights.entries()) {
      expect(Math.abs((found[index] as number) - entropyOfPeak(height, side))).toBeLessThan(1e-6)
      if (index > 0) expect(found[index]).toBeLessThan(found[index - 1] as number)
    }
  })
})

describe("decoding of heat-maps", () => {
  const [joints, height, width] = stored("peaks").shape as [number, number, number]
  const size = { joints, height, width }

  test("finds the vertices of parabolas that numpy fits, at the edges too", () => {
    const found = decodePose(numbers(stored("peaks")), size)
    const rows = found.joints.flatMap(({ x, y, score }) => [x, y, score])
    expect(rows.length).toBe(240)
    expect(relativeDifference(Float32Array.from(rows), numbers(stored("decoded")))).toBeLessThan(1e-6)
    expect(found.score).toBeCloseTo(found.joints.reduce((sum, { score }) => sum + score, 0) / joints, 12)
  })

  test("finds a clean Gaussian where it is, to a thousandth of a pixel", () => {
    const { joints: found } = decodePose(numbers(stored("peaks")), size)
    const places = numbers(stored("places"))
    let inner = 0
    for (let joint = 0; joint < 40; joint++) {
      const [x, y] = [places[2 * joint] as number, places[2 * joint + 1] as number]
      if (Math.min(x * width, y * height, (1 - x) * width, (1 - y) * height) < 1.01) continue
      inner++
      expect(Math.abs((found[joint]?.x ?? 0) - x) * width).toBeLessThan(1e-3)
      expect(Math.abs((found[joint]?.y ?? 0) - y) * height).toBeLessThan(1e-3)
    }
    expect(inner).toBeGreaterThan(12)
  })

  test("stays at the first of equal pixels, and takes maps without a peak or without numbers", () => {
    const flat = decodePose(new Float32Array(12), { joints: 1, height: 3, width: 4 })
    expect(flat.joints).toEqual([{ x: 0.125, y: 0.5 / 3, score: 0 }])
    const none = decodePose(new Float32Array(12).fill(Number.NaN), { joints: 1, height: 3, width: 4 })
    expect(none.joints[0]?.x).toBe(0.125)
  })
})
