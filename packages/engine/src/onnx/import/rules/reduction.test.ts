import { expect, test } from "vitest"
import { gradients } from "../../../autodiff/gradients.ts"
import { mul, reduceSum } from "../../../graph/build.ts"
import { encodeModel } from "../../../graph/codec.ts"
import { Graph, type Value } from "../../../graph/graph.ts"
import { floatTensor } from "../../../graph/tensor.ts"
import { lower } from "../../../lowering/lower.ts"
import { fixedPlan } from "../../../lowering/plan.ts"
import { createSession } from "../../../runtime/ort.ts"
import { decodeOnnxModel } from "../../read-model.ts"
import { data, imported, ints, written } from "./op-case.test-suite.ts"

/** Norms of the rows [3, 4], [0, 0] and [0, -2], and the gradient of twice their sum. */
async function normsOfRows(): Promise<{ norms: number[]; slopes: number[] }> {
  const model = decodeOnnxModel(written("ReduceL2", 18, { opsets: [18], inputs: [data([3, 2]), ints(1)] }), "case.onnx")
  const graph = new Graph()
  const x = graph.input("in0", "float32", [3, 2])
  const [norms] = imported(model, new Map([["in0", x]]), graph) as [Value]
  const [slopes] = gradients(graph, mul(reduceSum(norms), 2), [x]) as [Value]
  const lowered = lower(graph, { norms, slopes }, fixedPlan)
  const session = await createSession(encodeModel(lowered.graph, lowered.outputs), { threads: 1 })
  const found = await session.run({ in0: floatTensor([3, 2], Float32Array.of(3, 4, 0, 0, 0, -2)) })
  await session.release()
  return { norms: Array.from(found.norms?.data ?? [], Number), slopes: Array.from(found.slopes?.data ?? [], Number) }
}

test("the gradient of the norm of a row of zeros is zero, and other rows keep theirs", async () => {
  const { norms, slopes } = await normsOfRows()
  expect(norms).toEqual([5, 0, 2])
  for (const [at, slope] of [1.2, 1.6, 0, 0, 0, -2].entries()) expect(slopes[at]).toBeCloseTo(slope, 6)
})
