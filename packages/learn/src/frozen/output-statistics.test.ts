import { describe, expect, it } from "vitest"
import { planOutputStatistics } from "./output-statistics.ts"

function statisticsOf(
  values: readonly number[],
  shape: readonly number[],
  layout?: "channels-first" | "channels-last",
  ending?: "Softmax" | "LogSoftmax" | "Sigmoid",
) {
  const plan = planOutputStatistics(shape, layout, ending)!
  const into = new Float32Array(plan.width).fill(9)
  plan.write(values, shape, into)
  return [...into].map((value) => Number(value.toFixed(4)))
}

describe("statistics of an output", () => {
  it("are probabilities, entropy, log-sum-exp and the largest logit of a row of logits", () => {
    const logits = [0, Math.log(2), Math.log(5)]
    const entropy = -[0.125, 0.25, 0.625].reduce((sum, p) => sum + p * Math.log(p), 0)
    const expected = [0.625, 0.25, 0.125, 0, 0, 0, 0, 0, 0, 0, entropy, Math.log(8), Math.log(5)]
    expect(statisticsOf(logits, [3])).toEqual(expected.map((value) => Number(value.toFixed(4))))
  })

  it("take a row of probabilities for what it is", () => {
    const [logSum, largest] = statisticsOf([0.125, 0.25, 0.625], [3]).slice(-2)
    expect(statisticsOf([0.125, 0.25, 0.625], [3]).slice(0, 3)).toEqual([0.625, 0.25, 0.125])
    expect([logSum, largest]).toEqual([0, Number(Math.log(0.625).toFixed(4))])
    expect(statisticsOf([0, 0, 1], [3])).not.toContain(Number.NaN)
  })

  it("take what ends in a Softmax for probabilities even where rounding changed their sum, and logarithms as such", () => {
    const rough = statisticsOf([0.127, 0.252, 0.629], [3], undefined, "Softmax")
    expect(rough[0]).toBeCloseTo(0.629 / 1.008, 4)
    const logarithms = [0.125, 0.25, 0.625].map(Math.log)
    expect(statisticsOf(logarithms, [3], undefined, "LogSoftmax").slice(0, 3)).toEqual([0.625, 0.25, 0.125])
  })

  it("tell of independent probabilities how uncertain the answers are", () => {
    const entropy = (p: number) => -(p * Math.log(p) + (1 - p) * Math.log(1 - p))
    const mean = (entropy(0.9) + entropy(0.25) + 0) / 3
    const expected = [1 - mean / Math.LN2, 1, 0.9, 0.25, 0, 0, 0, 0, 0, 0, mean, entropy(0.25), 2.15]
    expect(statisticsOf([0.9, 0.25, 1], [3], undefined, "Sigmoid")).toEqual(
      expected.map((value) => Number(value.toFixed(4))),
    )
  })

  it("call the answer of a single probability certain near 0 and 1, whatever the shape", () => {
    for (const shape of [[1], []]) {
      const confidence = (p: number) => statisticsOf([p], shape, undefined, "Sigmoid")[0]!
      expect([confidence(0), confidence(1), confidence(0.5)]).toEqual([1, 1, 0])
      expect(confidence(0.02)).toBeCloseTo(confidence(0.98), 4)
      expect(confidence(0.1)).toBeGreaterThan(confidence(0.3))
    }
    expect(planOutputStatistics([], undefined, "Sigmoid")?.hasConfidence).toBe(true)
  })

  it("give no number where the network gives none", () => {
    expect(statisticsOf([0.5, Number.NaN], [2], undefined, "Sigmoid")[0]).toBeNaN()
  })

  it("keep the ten largest of many classes and read one score as two classes", () => {
    const many = Array.from({ length: 100 }, (_, index) => (index * 37) % 100)
    const top = statisticsOf(many, [100]).slice(0, 10)
    expect(top).toEqual(top.toSorted((a, b) => b - a))
    expect(top[0]).toBeCloseTo(1 - Math.exp(-1), 3)
    expect(statisticsOf([0], [1]).slice(0, 3)).toEqual([0.5, 0.5, 0])
  })

  it("are mean and maximum of each channel and the largest values of a detector's rows", () => {
    // Two channels over three boxes, in either order of the axes.
    const expected = [2, -1, 3, 0, 3, 2, 1, 0, -1, -2, ...new Array(26).fill(0)]
    expect(statisticsOf([1, 2, 3, 0, -1, -2], [2, 3])).toEqual(expected)
    expect(statisticsOf([1, 0, 2, -1, 3, -2], [3, 2])).toEqual(expected)
  })

  it("find the channels of maps by the network's layout", () => {
    const first = statisticsOf([1, 2, 3, 4, 10, 20, 30, 40], [2, 2, 2])
    expect(first.slice(0, 4)).toEqual([2.5, 25, 4, 40])
    expect(statisticsOf([1, 10, 2, 20, 3, 30, 4, 40], [2, 2, 2], "channels-last")).toEqual(first)
  })

  it("stay short for very many channels", () => {
    const plan = planOutputStatistics([4096, 4097])
    expect(plan?.width).toBe(34)
  })

  it("give no number where the output has another form than planned", () => {
    const plan = planOutputStatistics([2, 3])!
    const into = new Float32Array(plan.width)
    plan.write([1, 2, 3], [1, 3], into)
    expect(into.every(Number.isNaN)).toBe(true)
  })

  it("are one value as it is, and nothing of an empty output", () => {
    expect(statisticsOf([3], [])).toEqual([3])
    expect(planOutputStatistics([0, 6])).toBeUndefined()
  })
})
