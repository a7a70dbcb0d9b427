import { existsSync, readdirSync } from "node:fs"
import { dirname } from "node:path"
import { describe, expect, test } from "vitest"
import { add, relu } from "../graph/build.ts"
import { encodeModel } from "../graph/codec.ts"
import { Graph } from "../graph/graph.ts"
import { floatTensor } from "../graph/tensor.ts"
import { createSession } from "./ort.ts"
import { describePlacement, PlacementProfile, placementOf } from "./placement.ts"

function kernel(name: string, op: string, provider: string, index: number) {
  return {
    cat: "Node",
    name: `${name}_kernel_time`,
    args: { op_name: op, provider: `${provider}ExecutionProvider`, node_index: String(index) },
  }
}

const events = [
  { cat: "Session", name: "model_run" },
  kernel("conv", "Conv", "WebGpu", 0),
  kernel("copied", "MemcpyToHost", "WebGpu", 4),
  kernel("one", "OneHot", "CPU", 1),
  kernel("pick", "Where", "CPU", 2),
  kernel("pick again", "Where", "CPU", 3),
  // A node inside a loop runs often.
  kernel("conv", "Conv", "WebGpu", 0),
]

describe("a placement", () => {
  test("counts every node once, and copies by themselves", () => {
    const { nodes, copies } = placementOf(events, "webgpu")
    expect(nodes.map(({ name, isOnDevice }) => [name, isOnDevice])).toEqual([
      ["conv", true],
      ["one", false],
      ["pick", false],
      ["pick again", false],
    ])
    expect(copies).toBe(1)
  })

  test("is said in one sentence, the commonest op first", () => {
    expect(describePlacement(placementOf(events, "webgpu"))).toBe(
      "3 of 4 nodes run on the CPU, not on webgpu: Where (2), OneHot (1); tensors cross between the two once a run.",
    )
    expect(describePlacement(placementOf(events.slice(0, 2), "cuda"))).toBe("All 1 nodes run on cuda.")
  })

  test("is found in the first run of a session, which leaves no file behind", async () => {
    const graph = new Graph()
    const x = graph.input("x", "float32", [2])
    const model = encodeModel(graph, { y: relu(add(x, -1)) })
    const session = await createSession(model, { threads: 1, optimize: false, isPlacementWanted: true })
    expect(session.placement()).toBe(undefined)
    await session.run({ x: floatTensor([2]) })
    expect(session.placement()?.nodes.map(({ op, isOnDevice }) => [op, isOnDevice])).toEqual([
      ["Add", false],
      ["Relu", false],
    ])
    await session.run({ x: floatTensor([2]) })
    await session.release()
  })

  test("removes its folder when it is not read", () => {
    const profile = new PlacementProfile("webgpu")
    const folder = dirname(profile.prefix)
    expect(readdirSync(folder)).toEqual([])
    profile.discard()
    expect(existsSync(folder)).toBe(false)
  })
})
