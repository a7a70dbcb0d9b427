import { describe, expect, test } from "vitest"
import { encodeModel } from "../graph/codec.ts"
import { relativeDifference } from "../graph/compare.ts"
import { Graph, type Value } from "../graph/graph.ts"
import { floatTensor, type Shape, sizeOf } from "../graph/tensor.ts"
import { createRng } from "../random/rng.ts"
import { createSession } from "../runtime/ort.ts"
import type { Device } from "./device.ts"
import { lower } from "./lower.ts"
import { fixedPlan } from "./plan.ts"

const shapes: readonly Shape[] = [
  [5, 3],
  [3, 5, 7],
  [4, 6, 3, 5],
  [2, 3, 11, 14],
  [2, 3, 24, 23],
]

async function blend(shape: Shape, device: Device) {
  const rng = createRng(`blend ${shape}`)
  const channels = shape[1] as number
  const graph = new Graph()
  const tensors = [shape, [channels], shape, [channels], [channels]].map((each) =>
    floatTensor(
      each,
      Float32Array.from({ length: sizeOf(each) }, () => rng.normal()),
    ),
  )
  const inputs = tensors.map((tensor, index) => graph.input(`x${index}`, "float32", tensor.shape))
  const [y] = graph.add("ChannelBlend", inputs, {}) as [Value]
  const lowered = lower(graph, { y }, fixedPlan, [], device)
  const session = await createSession(encodeModel(lowered.graph, lowered.outputs), { threads: 2 })
  const outcome = await session.run(Object.fromEntries(tensors.map((tensor, index) => [`x${index}`, tensor])))
  await session.release()
  const [u, a, v, b, c] = tensors.map(({ data }) => data as Float32Array) as [Float32Array, ...Float32Array[]]
  const plane = sizeOf(shape.slice(2))
  const expected = Float64Array.from(u, (number, position) => {
    const channel = Math.floor(position / plane) % channels
    return number * a![channel]! + v![position]! * b![channel]! + c![channel]!
  })
  return { ops: lowered.graph.nodes.map(({ op }) => op), y: outcome.y?.data as Float32Array, expected }
}

describe("blending two tensors channel by channel", () => {
  for (const device of ["cpu", "webgpu"] as const) {
    test.each(shapes.map((shape) => ({ shape })))(
      `gives u a + v b + c as ${device} computes it, $shape`,
      async ({ shape }) => {
        const { y, expected } = await blend(shape, device)
        expect(relativeDifference(y, expected)).toBeLessThan(1e-6)
      },
    )
  }

  test("is one convolution on a processor where planes are large, and never one on other devices", async () => {
    expect((await blend([2, 3, 24, 23], "cpu")).ops).toContain("FusedConv")
    expect((await blend([2, 3, 11, 14], "cpu")).ops).not.toContain("FusedConv")
    expect((await blend([2, 3, 24, 23], "webgpu")).ops).not.toContain("FusedConv")
  })

  test("refuses coefficients that are not one a channel", () => {
    const graph = new Graph()
    const [u, a, b] = [
      graph.input("u", "float32", [2, 3]),
      graph.input("a", "float32", [3]),
      graph.input("b", "float32", [2]),
    ]
    expect(() => graph.add("ChannelBlend", [u, a, u, b, a], {})).toThrow(/vectors as long as their second axis/)
  })
})
