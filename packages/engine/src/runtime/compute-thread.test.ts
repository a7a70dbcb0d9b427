import { expect, test } from "vitest"
import { mul, reduceMean } from "../graph/build.ts"
import { Graph } from "../graph/graph.ts"
import { floatTensor, type Tensor } from "../graph/tensor.ts"
import { onComputeThread } from "./compute-thread.ts"
import { compileEvaluation, type Evaluation } from "./evaluation.ts"

const count = 1 << 18
const x = floatTensor(
  [count],
  Float32Array.from({ length: count }, (_, index) => Math.sin(index)),
)

function meanSquare(): Promise<Evaluation> {
  const graph = new Graph()
  const input = graph.input("x", "float32", [count])
  return compileEvaluation(graph, { mean: reduceMean(mul(input, input)) }, { threads: 1 })
}

test("sessions on compute threads of their own do not wait for each other and compute the same", async () => {
  const [first, second, other] = [
    await onComputeThread(1, meanSquare),
    await onComputeThread(1, meanSquare),
    await onComputeThread(2, meanSquare),
  ]
  const ended: string[] = []
  const run = async (name: string, session: Evaluation): Promise<Tensor | undefined> => {
    const { mean } = await session.run({ x })
    ended.push(name)
    return mean
  }
  const long = Array.from({ length: 100 }, () => run("first", first))
  const [sameThread, otherThread] = [run("second", second), run("other", other)]
  const means = await Promise.all([...long, sameThread, otherThread])
  for (const mean of means) expect(mean).toEqual(means[0])
  // A session is chosen for its thread where it is opened, not where it is run.
  expect(ended.at(-1)).toBe("second")
  expect(ended.indexOf("other")).toBeLessThan(100)
  for (const session of [first, second, other]) await session.release()
})
