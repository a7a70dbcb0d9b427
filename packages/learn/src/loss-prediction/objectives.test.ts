import { compileEvaluation, floatTensor, Graph } from "@learnloss/engine"
import { expect, test } from "vitest"
import { objectives } from "./objectives.ts"

async function objectiveOf(
  objective: keyof typeof objectives,
  predicted: number[],
  target: number[],
  margin = 1,
): Promise<number> {
  const graph = new Graph()
  const shape = [predicted.length]
  const value = objectives[objective](graph.input("p", "float32", shape), graph.input("l", "float32", shape), {
    margin,
  })
  const session = await compileEvaluation(graph, { value }, { threads: 1 })
  const feeds = {
    p: floatTensor(shape, Float32Array.from(predicted)),
    l: floatTensor(shape, Float32Array.from(target)),
  }
  const { value: result } = await session.run(feeds)
  await session.release()
  return Number(result?.data[0])
}

test("ranking pairs sample i with i + B/2 and asks for a margin in the order of the target losses", async () => {
  // Pairs (0, 2) and (1, 3): 3 - 1 is past the margin; 0.2 - 0.5 has the wrong order and costs 1 + 0.3.
  expect(await objectiveOf("ranking", [3, 0.2, 1, 0.5], [9, 8, 1, 2])).toBeCloseTo((0 + 1.3) / 2, 6)
  expect(await objectiveOf("ranking", [3, 0.2, 1, 0.5], [9, 8, 1, 2], 3)).toBeCloseTo((1 + 3.3) / 2, 6)
})

test("a tie of target losses counts as the second being larger, as in the paper", async () => {
  expect(await objectiveOf("ranking", [2, 0], [5, 5])).toBeCloseTo(3, 6)
  expect(await objectiveOf("ranking", [0, 2], [5, 5])).toBeCloseTo(0, 6)
})

test("mse is the mean squared difference", async () => {
  expect(await objectiveOf("mse", [1, 2], [4, 2])).toBeCloseTo(4.5, 6)
})
