import { compileEvaluation, fixedPlan, floatTensor, Graph, type Value } from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import { detectionEntropy, detectionUnconfidence, outputStatistics } from "./output-signals.ts"

/** Output of images whose default boxes have the given probabilities, background first; offsets are noise. */
async function signal(images: readonly (readonly (readonly number[])[])[], build: (output: Value) => Value) {
  const rows = images.flat().map((probabilities) => [3, -2, 1, 9, ...probabilities.map((each) => Math.log(each))])
  const shape = [images.length, images[0]?.length ?? 0, rows[0]?.length ?? 0]
  const graph = new Graph()
  const session = await compileEvaluation(
    graph,
    { y: build(graph.input("x", "float32", shape)) },
    { threads: 1 },
    fixedPlan,
  )
  const outcome = await session.run({ x: floatTensor(shape, Float32Array.from(rows.flat())) })
  await session.release()
  return Array.from(outcome.y?.data ?? [], Number)
}

const entropy = (...probabilities: number[]) => -probabilities.reduce((sum, each) => sum + each * Math.log(each), 0)
const close = (values: readonly number[]) => values.map((each) => expect.closeTo(each, 5))

const background = [0.98, 0.01, 0.01]
const sure = [0.05, 0.9, 0.05]
const unsure = [0.4, 0.3, 0.3]

describe("signals of a detector's output", () => {
  test("uncertainty is the mean entropy of likely objects, whatever stands around them", async () => {
    const images = [
      [sure, unsure, background, background],
      [sure, unsure, unsure, background],
    ]
    const [a, b] = [entropy(...sure), entropy(...unsure)]
    expect(await signal(images, detectionEntropy)).toEqual(close([(a + b) / 2, (a + 2 * b) / 3]))
  })

  test("an image without likely objects is as uncertain as its most object-like box", async () => {
    const near = [0.92, 0.05, 0.03]
    expect(await signal([[background, near, background]], detectionEntropy)).toEqual(close([entropy(...near)]))
    expect(await signal([[background, near, background]], detectionUnconfidence)).toEqual(close([0.08]))
  })

  test("lack of confidence is the mean over likely objects of one minus the likeliest class", async () => {
    expect(await signal([[sure, unsure, background]], detectionUnconfidence)).toEqual(close([(0.1 + 0.6) / 2]))
  })

  test("statistics say for each source how object-like it is", async () => {
    const statistics = await signal([[sure, background, background, unsure]], (x) => outputStatistics(x, [3, 1]))
    expect(statistics).toEqual(
      close([
        0.95,
        (0.95 + 0.02 + 0.02) / 3,
        1 / 3,
        (entropy(...sure) + 2 * entropy(...background)) / 3,
        0.6,
        0.6,
        1,
        entropy(...unsure),
      ]),
    )
  })
})
