import { describe, expect, test } from "vitest"
import { concat } from "../graph/build.ts"
import { encodeModel } from "../graph/codec.ts"
import { Graph, type Value } from "../graph/graph.ts"
import { floatTensor } from "../graph/tensor.ts"
import { createSession } from "../runtime/ort.ts"
import { lower } from "./lower.ts"
import { fixedPlan } from "./plan.ts"

describe("statistics of a batch", () => {
  test("stay apart where one layer normalises two batches", async () => {
    const graph = new Graph()
    const [a, b] = [graph.input("a", "float32", [3, 2]), graph.input("b", "float32", [3, 2])]
    const shared = ["scale", "bias", "mean", "variance"].map((name) => graph.input(name, "float32", [2]))
    const normalize = (x: Value) =>
      graph.add("BatchNormalization", [x, ...shared], { epsilon: 1e-5, training: true }).slice(1)
    // Read together, so that both nodes have run before either's statistics are read.
    const statistics = concat([...normalize(a), ...normalize(b)], 0)
    const { graph: lowered, outputs } = lower(graph, { statistics }, fixedPlan)
    const session = await createSession(encodeModel(lowered, outputs), { threads: 1 })
    const two = (...numbers: number[]) => floatTensor([2], Float32Array.from(numbers))
    const feeds = {
      a: floatTensor([3, 2], Float32Array.of(1, 10, 2, 20, 3, 30)),
      b: floatTensor([3, 2], Float32Array.of(5, 0, 5, 0, 5, 3)),
      scale: two(1, 1),
      bias: two(0, 0),
      mean: two(7, 8),
      variance: two(9, 4),
    }
    for (const _ of [1, 2]) {
      const outcome = await session.run(feeds)
      const got = Array.from(outcome.statistics?.data as Float32Array)
      for (const [index, wanted] of [2, 20, 2 / 3, 200 / 3, 5, 1, 0, 2].entries())
        expect(got[index]).toBeCloseTo(wanted, 4)
    }
    expect(Array.from(feeds.mean.data as Float32Array)).toEqual([7, 8])
    await session.release()
  })
})
