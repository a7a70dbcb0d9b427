import type { ObjectiveName, RankedPairs } from "@learnloss/contract"
import { compileEvaluation, createRng, floatTensor, Graph, type Value } from "@learnloss/engine"
import { checkGradients } from "@learnloss/engine/testing"
import { describe, expect, test } from "vitest"
import { objectives } from "./objectives.ts"

/** Predicted and target losses, and for remembered samples whether they are there. */
interface Samples {
  readonly predicted: readonly number[]
  readonly target: readonly number[]
  readonly isFilled?: readonly number[]
}

interface Settings {
  readonly objective?: ObjectiveName
  readonly margin?: number
  readonly pairs?: RankedPairs
}

async function objectiveOf(
  { predicted, target }: Samples,
  { objective = "ranking", margin = 1, pairs = "halves" }: Settings = {},
  memory?: Samples,
): Promise<number> {
  const graph = new Graph()
  const feeds: Record<string, ReturnType<typeof floatTensor>> = {}
  const input = (name: string, numbers: readonly number[]) => {
    feeds[name] = floatTensor([numbers.length], Float32Array.from(numbers))
    return graph.input(name, "float32", [numbers.length])
  }
  const remembered = memory && {
    predictedLoss: input("remembered p", memory.predicted),
    targetLoss: input("remembered l", memory.target),
    isFilled: input("filled", memory.isFilled ?? memory.target.map(() => 1)),
  }
  const options = { margin, pairs }
  const value = objectives[objective].loss(input("p", predicted), input("l", target), options, remembered)
  const session = await compileEvaluation(graph, { value }, { threads: 1 })
  const used = Object.entries(feeds).filter(([name]) => objective === "ranking" || !/remembered|filled/.test(name))
  const { value: result } = await session.run(Object.fromEntries(used))
  await session.release()
  return Number(result?.data[0])
}

describe("ranking", () => {
  test("pairs sample i with i + B/2 and asks for a margin in the order of the target losses", async () => {
    // Pairs (0, 2) and (1, 3): 3 - 1 is past the margin; 0.2 - 0.5 has the wrong order and costs 1 + 0.3.
    const samples = { predicted: [3, 0.2, 1, 0.5], target: [9, 8, 1, 2] }
    expect(await objectiveOf(samples)).toBeCloseTo((0 + 1.3) / 2, 6)
    expect(await objectiveOf(samples, { margin: 3 })).toBeCloseTo((1 + 3.3) / 2, 6)
  })

  test("counts a tie of target losses as the second being larger, as in the paper", async () => {
    expect(await objectiveOf({ predicted: [2, 0], target: [5, 5] })).toBeCloseTo(3, 6)
    expect(await objectiveOf({ predicted: [0, 2], target: [5, 5] })).toBeCloseTo(0, 6)
  })

  test("of all pairs asks every pair of unequal loss for a margin in the order of its losses", async () => {
    const all = { pairs: "all" } as const
    // Pair (0, 1) is past the margin, and so is (2, 1); (0, 2) lacks 0.5 of it.
    expect(await objectiveOf({ predicted: [3, 1, 2.5], target: [9, 1, 8] }, all)).toBeCloseTo((0 + 0.5 + 0) / 3, 6)
    // Now the last pair stands the wrong way round and lacks 1 + 1.5.
    const turned = { predicted: [3, 1, 2.5], target: [9, 1, 0] }
    expect(await objectiveOf(turned, all)).toBeCloseTo((0 + 0.5 + 2.5) / 3, 6)
    expect(await objectiveOf(turned, { ...all, margin: 3 })).toBeCloseTo((1 + 2.5 + 4.5) / 3, 6)
  })

  test("of all pairs learns nothing from pairs of equal loss, and no pairs cost nothing", async () => {
    const all = { pairs: "all" } as const
    expect(await objectiveOf({ predicted: [0, 5, 1], target: [2, 2, 1] }, all)).toBeCloseTo((2 + 0) / 2, 6)
    expect(await objectiveOf({ predicted: [0, 5], target: [2, 2] }, all)).toBe(0)
  })

  test("counts a pair of the batch and one with a remembered sample alike", async () => {
    // In the batch 1 - 0.5 is 0.5 short. Sample 0 stands above the remembered one as it should, past the margin;
    // sample 1 stands 0.25 above it and should be below: 1.25.
    const [samples, memory] = [
      { predicted: [1, 0.5], target: [3, 1] },
      { predicted: [-0.75, 0.25], target: [2, 2], isFilled: [0, 1] },
    ]
    // Sample 0 is 1 - 0.25 above it: 0.25 short.
    expect(await objectiveOf(samples, {}, memory)).toBeCloseTo((0.5 + 0.25 + 1.25) / 3, 6)
  })

  test("has no pairs with empty places and with remembered samples of the same loss", async () => {
    const samples = { predicted: [1, 0.5, 2, 0.25], target: [3, 1, 2, 5] }
    const nothing = { predicted: [7, -4, 1], target: [0, 9, 3], isFilled: [0, 0, 0] }
    for (const pairs of ["halves", "all"] as const) {
      expect(await objectiveOf(samples, { pairs }, nothing)).toBe(await objectiveOf(samples, { pairs }))
    }
    const same = { predicted: [5, -5], target: [2, 2] }
    const ties = { predicted: [1, 0], target: [2, 2] }
    expect(await objectiveOf(ties, { pairs: "all" }, same)).toBe(0)
  })

  test.each([
    ["halves", 6, 0],
    ["halves", 6, 64],
    ["all", 6, 0],
    ["all", 16, 7],
    ["all", 16, 256],
  ] as const)(
    "of %s of %i samples with %i remembered is what loops over the pairs give",
    async (pairs, batch, size) => {
      const rng = createRng(`${pairs}/${batch}/${size}`)
      // Few different losses make many ties.
      const draw = (count: number) => ({
        predicted: Array.from({ length: count }, () => Math.fround(rng.normal())),
        target: Array.from({ length: count }, () => Math.floor(5 * rng.float())),
        isFilled: Array.from({ length: count }, () => (rng.float() < 0.7 ? 1 : 0)),
      })
      const [samples, memory] = [draw(batch), draw(size)]
      const costs: number[] = []
      const rank = (order: number, p: number, q: number) => costs.push(Math.max(0, 0.5 - order * (p - q)))
      for (let i = 0; i < batch; i++) {
        for (let j = i + 1; j < batch; j++) {
          const difference = samples.target[i]! - samples.target[j]!
          const isPair = pairs === "all" ? difference !== 0 : j === i + batch / 2
          if (isPair) rank(difference > 0 ? 1 : -1, samples.predicted[i]!, samples.predicted[j]!)
        }
        for (let m = 0; m < size; m++) {
          const difference = samples.target[i]! - memory.target[m]!
          if (memory.isFilled[m] && difference !== 0)
            rank(Math.sign(difference), samples.predicted[i]!, memory.predicted[m]!)
        }
      }
      const expected = costs.reduce((sum, cost) => sum + cost) / costs.length
      const computed = await objectiveOf(samples, { pairs, margin: 0.5 }, size === 0 ? undefined : memory)
      expect(Math.abs(computed / expected - 1)).toBeLessThan(1e-6)
    },
  )

  test.each(["halves", "all"] as const)(
    "of %s with a memory has gradients that finite differences find",
    async (pairs) => {
      const build = (predictedLoss: Value, remembered: Value): Value => {
        const constant = (numbers: readonly number[]) =>
          predictedLoss.graph.constant(floatTensor([numbers.length], Float32Array.from(numbers)), "given")
        const memory = {
          predictedLoss: remembered,
          targetLoss: constant([3, 1, 2, 9, 0]),
          isFilled: constant([1, 1, 1, 0, 1]),
        }
        const targetLoss = constant([2, 5, 2, 0, 1, 4])
        return objectives.ranking.loss(predictedLoss, targetLoss, { margin: 1, pairs }, memory)
      }
      const { differences, analytic } = await checkGradients(
        { inputs: [{ shape: [6] }, { shape: [5] }], build, step: 1e-3 },
        createRng("ranking"),
      )
      for (const difference of differences) expect(difference).toBeLessThan(2e-3)
      expect(analytic[1]?.[3], "an empty place").toBe(0)
      expect(analytic[1]?.some((value) => value !== 0)).toBe(true)
    },
  )
})

test("mse is the mean squared difference, whatever is ranked or remembered", async () => {
  const samples = { predicted: [1, 2], target: [4, 2] }
  const memory = { predicted: [9], target: [0] }
  expect(await objectiveOf(samples, { objective: "mse" })).toBeCloseTo(4.5, 6)
  expect(await objectiveOf(samples, { objective: "mse", pairs: "all" }, memory)).toBeCloseTo(4.5, 6)
})
