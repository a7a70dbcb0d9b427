import { describe, expect, test } from "vitest"
import { exportModel } from "../runtime/export-model.ts"
import { createSession } from "../runtime/ort.ts"
import * as op from "./build.ts"
import { Graph, type Value } from "./graph.ts"
import { floatTensor, intTensor } from "./tensor.ts"

const exported = (build: (x: Value, batch: number) => Value) =>
  exportModel((batch) => {
    const graph = new Graph()
    const x = graph.input("x", "float32", [batch, 3])
    return { graph, outputs: { y: build(x, batch) } }
  })

const numbers = Float32Array.from({ length: 12 }, (_, index) => index)

/** Runs an exported graph on a few samples. */
async function run(model: Uint8Array, samples: number) {
  const session = await createSession(model, { threads: 1 })
  const { y } = await session.run({ x: floatTensor([samples, 3], numbers.slice(0, 3 * samples)) })
  await session.release()
  return { shape: y!.shape, data: Array.from(y!.data as Float32Array) }
}

describe("a graph written for any batch", () => {
  test("reshapes, expands and cuts by the batch that it is fed", async () => {
    const model = exported((x, batch) => {
      const token = op.expand(x.graph.constant(floatTensor([1, 1], Float32Array.of(7))), [batch, 1])
      const joined = op.reshape(op.concat([token, x], 1), [batch * 2, 2])
      return op.slice(joined, 0, 0, batch * 2 - 1)
    })
    expect(await run(model, 1)).toEqual({ shape: [1, 2], data: [7, 0] })
    expect(await run(model, 2)).toEqual({ shape: [3, 2], data: [7, 0, 1, 2, 7, 3] })
  })

  test("computes whole numbers that it gathers by from the batch", async () => {
    const last = exported((x, batch) => op.gather(x, x.graph.constant(intTensor([1], [batch - 1])), 0))
    expect(await run(last, 2)).toEqual({ shape: [1, 3], data: [3, 4, 5] })
    expect(await run(last, 4)).toEqual({ shape: [1, 3], data: [9, 10, 11] })
  })

  test("is refused where a table of numbers grows with the batch", () => {
    const table = (x: Value, batch: number) => op.add(x, x.graph.constant(floatTensor([batch, 1]), "table"))
    expect(() => exported(table)).toThrow(/EXPORT_BATCH|constant table.*any batch/)
  })
})
