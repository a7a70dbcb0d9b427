import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { conv, relu } from "../graph/build.ts"
import { relativeDifference } from "../graph/compare.ts"
import { Graph, type Value } from "../graph/graph.ts"
import { floatTensor, type Shape, sizeOf } from "../graph/tensor.ts"
import { createRng } from "../random/rng.ts"
import { compileEvaluation } from "./evaluation.ts"
import { liveBytes, measureEvaluation, type OpenEvaluation } from "./measure-evaluation.ts"
import type { MeasureOptions } from "./measure-plan.ts"
import { openMeasurements } from "./measurements.ts"

const folder = mkdtempSync(join(tmpdir(), "learnloss-measure-evaluation-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const session = { threads: 1 }
const side = 8

function random(shape: Shape, name: string, positive = false) {
  const rng = createRng(name)
  const draw = () => (positive ? rng.float() + 0.5 : rng.normal())
  return floatTensor(shape, Float32Array.from({ length: sizeOf(shape) }, draw))
}

/** Convolution, batch normalisation, ReLU, convolution; wide images need more memory. */
function build(batch: number, width = side) {
  const graph = new Graph()
  const x = graph.input("x", "float32", [batch, 16, side, width])
  const constant = (shape: Shape, name: string, positive = false) => graph.constant(random(shape, name, positive), name)
  const pads = [1, 1, 1, 1] as const
  const y = conv(x, constant([16, 16, 3, 3], "w"), { pads })
  const norm = ["scale", "shift", "mean", "variance"].map((name) => constant([16], name, name === "variance"))
  const [normed] = graph.add("BatchNormalization", [y, ...norm], { epsilon: 1e-5, training: false })
  return { graph, outputs: { z: conv(relu(normed as Value), constant([16, 16, 3, 3], "v"), { pads }) } }
}

/** A clock by batch, and one for plans that name anything but plain convolutions. */
function clock(byBatch: Readonly<Record<number, number>>, planned = 1) {
  const timed: string[] = []
  const openEvaluation: OpenEvaluation = async ({ graph }, plan) => {
    const batch = graph.inputs[0]?.shape[0] as number
    const isPlanned = Object.values(plan).some((name) => name !== "plain")
    timed.push(`${batch}${isPlanned ? " planned" : ""}`)
    const milliseconds = isPlanned ? planned : (byBatch[batch] as number)
    return { run: async () => milliseconds, release: async () => {} }
  }
  return { timed, openEvaluation }
}

/** Trials in which the last candidate is always fastest. */
const lastWins: MeasureOptions["trials"] = () => {
  let milliseconds = 100
  return async () => {
    const own = milliseconds--
    return {
      warmUp: async () => ({ took: own, atLeast: own }),
      run: async () => own,
      result: Float32Array.of(1),
      release: async () => {},
    }
  }
}

describe("measuring how to evaluate", () => {
  test("takes the fewest samples at once that cost hardly more time each, and asks once a machine", async () => {
    const about = { machine: "batches" }
    const first = clock({ 32: 40, 64: 60, 128: 119, 256: 150 })
    const options = { ...session, trials: lastWins }
    const measurements = openMeasurements({ folder, session, about })
    const choice = await measureEvaluation(build, { ...options, measurements, openEvaluation: first.openEvaluation })
    expect(choice.batch).toBe(64)
    expect(first.timed).toEqual(["32", "64", "128", "64", "64 planned"])
    const second = clock({})
    const later = openMeasurements({ folder, session, about })
    expect(
      await measureEvaluation(build, { ...options, measurements: later, openEvaluation: second.openEvaluation }),
    ).toEqual(choice)
    expect(second.timed).toEqual([])
  })

  test("does not try larger batches once a run is long or its values would fill the memory", async () => {
    const long = clock({ 32: 300, 64: 1 })
    expect(
      (await measureEvaluation(build, { ...session, trials: lastWins, openEvaluation: long.openEvaluation })).batch,
    ).toBe(32)
    const wide = (batch: number) => build(batch, 16384)
    // Two values of 8 MiB a sample live at a time: 512 MiB hold 32 samples.
    expect(liveBytes(wide(1))).toBe(2 * 4 * 16 * side * 16384)
    const open = clock({ 32: 100, 64: 100 })
    expect(
      (await measureEvaluation(wide, { ...session, trials: lastWins, openEvaluation: open.openEvaluation })).batch,
    ).toBe(32)
    expect(open.timed).not.toContain("64")
  })

  test("a plan must win as a whole", async () => {
    const times = { 32: 100, 64: 300 }
    const good = clock(times, 90)
    const options = { ...session, batch: 32, trials: lastWins }
    const won = await measureEvaluation(build, { ...options, openEvaluation: good.openEvaluation })
    expect(Object.values(won.plan)).not.toContain("plain")
    const bad = clock(times, 110)
    const lost = await measureEvaluation(build, { ...options, openEvaluation: bad.openEvaluation })
    expect(Object.keys(lost.plan)).toEqual(Object.keys(won.plan))
    expect(new Set(Object.values(lost.plan))).toEqual(new Set(["plain"]))
  })

  test("a network computes the same by its plan as by plain convolutions", async () => {
    const { plan } = await measureEvaluation(build, {
      ...session,
      batch: 32,
      trials: lastWins,
      openEvaluation: clock({ 32: 2 }).openEvaluation,
    })
    const feeds = { x: random([32, 16, side, side], "x") }
    const results = []
    for (const each of [{}, plan]) {
      const { graph, outputs } = build(32)
      const evaluation = await compileEvaluation(graph, outputs, session, each)
      results.push((await evaluation.run(feeds)).z?.data as Float32Array)
      await evaluation.release()
    }
    expect(Object.values(plan)[0]).not.toBe("plain")
    expect(relativeDifference(results[1] as Float32Array, results[0] as Float32Array)).toBeLessThan(1e-4)
  })

  test("really measures a small network", async () => {
    const { batch, plan } = await measureEvaluation(build, session)
    expect([32, 64, 128, 256]).toContain(batch)
    expect(Object.keys(plan)).toEqual([`inference ${batch}x16x8x8 16x16x3x3 s1,1 p1,1,1,1 d1,1 g1`])
  })
})
