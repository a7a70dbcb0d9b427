import { describe, expect, test } from "vitest"
import { add } from "./build.ts"
import { Graph } from "./graph.ts"
import { floatTensor } from "./tensor.ts"

const ramp = (length: number, last = length - 1) =>
  floatTensor(
    [length],
    Float32Array.from({ length }, (_, index) => (index === length - 1 ? last : index)),
  )

describe("a graph", () => {
  test("adds equal constants once, and so the nodes that read them", () => {
    const graph = new Graph()
    const x = graph.input("x", "float32", [1000])
    const once = add(x, graph.constant(ramp(1000), "first"))
    expect(add(x, graph.constant(ramp(1000), "second"))).toBe(once)
    expect(graph.nodes).toHaveLength(1)
  })

  test("keeps constants apart that differ in one bit, in shape or in dtype", () => {
    const graph = new Graph()
    const kept = graph.constant(ramp(1000))
    expect(graph.constant(ramp(1000, 998.5))).not.toBe(kept)
    expect(graph.constant(floatTensor([10, 100], ramp(1000).data as Float32Array))).not.toBe(kept)
    expect(graph.constant(floatTensor([1], Float32Array.of(0)))).not.toBe(
      graph.constant(floatTensor([1], Float32Array.of(-0))),
    )
  })
})
