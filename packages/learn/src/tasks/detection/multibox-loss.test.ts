import { type LossDivisor, lossDivisors } from "@learnloss/contract"
import {
  compileEvaluation,
  fixedPlan,
  floatTensor,
  Graph,
  gradients,
  intTensor,
  op,
  readSafetensors,
  type Tensor,
  type Value,
} from "@learnloss/engine"
import { relativeDifference } from "@learnloss/engine/testing"
import { describe, expect, test } from "vitest"
import { multiboxLoss } from "./multibox-loss.ts"

const fixture = new URL("../../../../../fixtures/ssd/loss.safetensors", import.meta.url).pathname
const tensors = readSafetensors(fixture)

interface Batch {
  readonly output: Tensor
  readonly offsets: Tensor
  readonly classes: Tensor
}

/** Losses of a batch, and the gradient of their sum, each multiplied by its weight, with respect to the output. */
async function lossesOf({ output, offsets, classes }: Batch, divisor?: LossDivisor, weights?: Tensor) {
  const graph = new Graph()
  const input = (name: string, { dtype, shape }: Tensor) => graph.input(name, dtype, shape)
  const x = input("output", output)
  const loss = multiboxLoss(x, { offsets: input("offsets", offsets), classes: input("classes", classes) }, divisor)
  const weighted = weights === undefined ? loss : op.mul(loss, graph.constant(weights))
  const [gradient] = gradients(graph, op.reduceSum(weighted), [x]) as [Value]
  const session = await compileEvaluation(graph, { loss, gradient }, { threads: 1 }, fixedPlan)
  const outcome = await session.run({ output, offsets, classes })
  await session.release()
  return { loss: outcome.loss?.data as Float32Array, gradient: outcome.gradient?.data as Float32Array }
}

describe("the loss of SSD", () => {
  test.each(lossDivisors)("and its gradient are PyTorch's, divided by %s", async (divisor) => {
    const of = (name: string) => tensors.get(name) as Tensor
    const batch = { output: of("output"), offsets: of("offsets"), classes: of("classes") }
    const { loss, gradient } = await lossesOf(batch, divisor, of("weights"))
    expect(loss.length).toBe(6)
    expect(relativeDifference(loss, of(`${divisor}/loss`).data as Float32Array)).toBeLessThan(1e-6)
    expect(relativeDifference(gradient, of(`${divisor}/gradient`).data as Float32Array)).toBeLessThan(1e-6)
  })

  const classes = 2
  const row = (...logits: number[]) => [0, 0, 0, 0, ...logits]
  const batchOf = (rows: readonly (readonly number[])[], labels: readonly number[]): Batch => ({
    output: floatTensor([1, rows.length, 4 + 1 + classes], Float32Array.from(rows.flat())),
    offsets: floatTensor([1, rows.length, 4]),
    classes: intTensor([1, rows.length], labels),
  })
  const surprise = (logits: readonly number[], label: number) =>
    Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0)) - (logits[label] as number)

  test("of an image without objects is that of its three hardest background boxes", async () => {
    const logits = [-3, 2, 0, 1, -1].map((hardness) => [-hardness, hardness, 0])
    const { loss, gradient } = await lossesOf(
      batchOf(
        logits.map((each) => row(...each)),
        [0, 0, 0, 0, 0],
      ),
    )
    const expected = [1, 2, 3].reduce((sum, box) => sum + surprise(logits[box] as number[], 0), 0)
    expect(loss[0]).toBeCloseTo(expected, 5)
    const moved = [0, 1, 2, 3, 4].map((box) => gradient.slice(7 * box, 7 * box + 7).some((each) => each !== 0))
    expect(moved).toEqual([false, true, true, true, false])
  })

  test("takes the first of equally hard background boxes, and no positive in their place", async () => {
    const same = Array.from({ length: 6 }, () => row(0, 0, 0))
    const { loss, gradient } = await lossesOf(batchOf(same, [0, 0, 1, 0, 0, 0]))
    expect(loss[0]).toBeCloseTo(4 * Math.log(3), 5)
    const moved = Array.from({ length: 6 }, (_, box) => gradient.slice(7 * box, 7 * box + 7).some((each) => each !== 0))
    expect(moved).toEqual([true, true, true, true, false, false])
  })

  test("counts every box once where there are fewer background boxes than are wanted", async () => {
    const { loss } = await lossesOf(batchOf([row(0, 0, 0), row(0, 0, 0), row(0, 0, 0)], [1, 0, 2]), "nothing")
    expect(loss[0]).toBeCloseTo(3 * Math.log(3), 5)
  })

  test("is finite where the network is certain and wrong", async () => {
    const sure = batchOf([row(100, -100, 0), row(-100, 100, 0), row(100, -100, 0)], [1, 0, 0])
    const { loss, gradient } = await lossesOf(sure)
    expect(loss[0]).toBeCloseTo(400, 3)
    expect(gradient.every(Number.isFinite)).toBe(true)
  })
})
