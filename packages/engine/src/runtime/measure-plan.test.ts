import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { conv, convAttributes } from "../graph/build.ts"
import { Graph, type Value } from "../graph/graph.ts"
import { floatTensor } from "../graph/tensor.ts"
import { productsOf } from "../lowering/lower.ts"
import { possibleLowerings } from "../lowering/plan.ts"
import { productKey } from "../lowering/product.ts"
import { probeChannelBlock } from "./channel-block.ts"
import { type MeasureOptions, measurePlan } from "./measure-plan.ts"
import { openMeasurements } from "./measurements.ts"

const folder = mkdtempSync(join(tmpdir(), "learnloss-measure-plan-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Two weight gradients, which have several lowerings on every processor. */
function twoProducts() {
  const graph = new Graph()
  const x = graph.input("x", "float32", [16, 16, 8, 8])
  const gradient = (name: string, outputs: number, kernel: number, pad: number) =>
    graph.add("ConvWeightGradient", [x, graph.input(name, "float32", [16, outputs, 8, 8])], {
      ...convAttributes({ pads: [pad, pad, pad, pad] }),
      weightShape: [outputs, 16, kernel, kernel],
    })[0] as Value
  return { graph, outputs: { dw: gradient("dy", 32, 3, 1), dv: gradient("dz", 16, 1, 0) } }
}

/** Trials in which the last candidate is always fastest. */
function fakeTrials() {
  const timed: string[] = []
  const trials: MeasureOptions["trials"] = (product) => {
    let milliseconds = 100
    return async ({ name }) => {
      const own = milliseconds--
      timed.push(`${product.weightShape[0]} ${name}`)
      return {
        warmUp: async () => ({ took: own, atLeast: own }),
        run: async () => own,
        result: Float32Array.of(1),
        release: async () => {},
      }
    }
  }
  return { timed, trials }
}

const session = { threads: 1 }
const keys = [
  "weight-gradient 16x16x8x8 32x16x3x3 s1,1 p1,1,1,1 d1,1 g1",
  "weight-gradient 16x16x8x8 16x16x1x1 s1,1 p0,0,0,0 d1,1 g1",
]

describe("measuring a plan", () => {
  test("names the fastest of every product, tells how far it is, and never measures twice on one machine", async () => {
    const { graph, outputs } = twoProducts()
    const first = fakeTrials()
    const told: string[] = []
    const options = { ...session, onProgress: (done: number, total: number) => told.push(`${done}/${total}`) }
    const measurements = openMeasurements({ folder, session })
    const plan = await measurePlan(graph, outputs, { ...options, measurements, trials: first.trials })
    expect(Object.keys(plan)).toEqual(keys)
    expect(first.timed.length).toBeGreaterThanOrEqual(4)
    expect(Object.values(plan)).toEqual(
      keys.map((_, index) => first.timed.findLast((each) => each.startsWith(index === 0 ? "32" : "16"))?.split(" ")[1]),
    )
    expect(told).toEqual(["0/2", "1/2", "2/2"])

    const second = fakeTrials()
    const again = { ...options, measurements: openMeasurements({ folder, session }), trials: second.trials }
    expect(await measurePlan(graph, outputs, again)).toEqual(plan)
    expect(second.timed).toEqual([])
    expect(told).toHaveLength(3)
  })

  test("keeps what was measured before something failed", async () => {
    const { graph, outputs } = twoProducts()
    const about = { machine: "that fails" }
    const { trials } = fakeTrials()
    const failing: MeasureOptions["trials"] = (product, options) => {
      if (product.weightShape[0] === 16) throw new Error("interrupted")
      return (trials as NonNullable<typeof trials>)(product, options)
    }
    const measurements = openMeasurements({ folder, session, about })
    await expect(measurePlan(graph, outputs, { ...session, measurements, trials: failing })).rejects.toThrow(
      "interrupted",
    )
    const told: string[] = []
    const later = openMeasurements({ folder, session, about })
    const options = {
      ...session,
      measurements: later,
      trials,
      onProgress: (done: number, total: number) => told.push(`${done}/${total}`),
    }
    await measurePlan(graph, outputs, options)
    expect(told).toEqual(["0/1", "1/1"])
  })

  test("a product that has one way is not measured", async () => {
    const graph = new Graph()
    const x = graph.input("x", "float32", [2, 3, 8, 8])
    const weight = graph.constant(floatTensor([5, 3, 3, 3], new Float32Array(135).fill(0.1)), "w")
    const { timed, trials } = fakeTrials()
    const plan = await measurePlan(
      graph,
      { y: conv(x, weight, { group: 1, dilations: [2, 2] }) },
      { ...session, trials },
    )
    expect(plan).toEqual({ "inference 2x3x8x8 5x3x3x3 s1,1 p0,0,0,0 d2,2 g1": "plain" })
    expect(timed).toEqual([])
  })

  test("real trials agree with one another on every kind of product", async () => {
    const { graph, outputs } = twoProducts()
    const measurements = openMeasurements({ folder, session, about: { machine: "real" } })
    const plan = await measurePlan(graph, outputs, { ...session, measurements })
    const block = await probeChannelBlock()
    const milliseconds = productsOf(graph, outputs).flatMap((product) => {
      const names = possibleLowerings(product, block).map(({ name }) => name)
      return Object.values(measurements.find(productKey(product), names)?.milliseconds ?? {})
    })
    expect(milliseconds.length).toBeGreaterThanOrEqual(6)
    expect(Object.keys(plan)).toEqual(keys)
    expect(milliseconds).not.toContain(null)
  })
})
