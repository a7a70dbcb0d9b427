import { compileEvaluation, floatTensor, Graph } from "@learnloss/engine"
import { expect, it } from "vitest"
import { allPairsRanking } from "./all-pairs.ts"

async function lossOf(predicted: readonly number[], target: readonly number[], margin = 1): Promise<number> {
  const graph = new Graph()
  const shape = [predicted.length]
  const [p, l] = [graph.input("p", "float32", shape), graph.input("l", "float32", shape)]
  const session = await compileEvaluation(graph, { value: allPairsRanking(p, l, margin) }, { threads: 1 })
  const feeds = {
    p: floatTensor(shape, Float32Array.from(predicted)),
    l: floatTensor(shape, Float32Array.from(target)),
  }
  const { value } = await session.run(feeds)
  await session.release()
  return Number(value?.data[0])
}

it("every pair of unequal loss asks for a margin in the order of its losses", async () => {
  // Pair (0, 1) is past the margin, and so is (2, 1); (0, 2) lacks 0.5 of it.
  expect(await lossOf([3, 1, 2.5], [9, 1, 8])).toBeCloseTo((0 + 0.5 + 0) / 3, 6)
  // Now the last pair stands the wrong way round and lacks 1 + 1.5.
  expect(await lossOf([3, 1, 2.5], [9, 1, 0])).toBeCloseTo((0 + 0.5 + 2.5) / 3, 6)
  expect(await lossOf([3, 1, 2.5], [9, 1, 0], 3)).toBeCloseTo((1 + 2.5 + 4.5) / 3, 6)
})

it("pairs of equal loss say nothing, and no pairs cost nothing", async () => {
  expect(await lossOf([0, 5, 1], [2, 2, 1])).toBeCloseTo((2 + 0) / 2, 6)
  expect(await lossOf([0, 5], [2, 2])).toBe(0)
})
