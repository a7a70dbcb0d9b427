import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { probeShapes } from "@learnloss/engine"
import type { WrittenModel } from "@learnloss/engine/testing"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { decodeInput, valueTable, writePixels } from "./decode-input.ts"
import { openFrozenNetwork, planFeatures } from "./frozen-network.ts"
import { batchShape, findImageInput, type InputSettings, settlePreprocessing } from "./network-input.ts"
import { bytesNetwork, channelsLastNetwork, decoded, fixedBatchNetwork, smallNetwork } from "./networks.test-suite.ts"

let folder: string
let paths: string[]
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "learnloss-frozen-"))
  paths = [0, 1, 2, 3, 4].map((index) => join(folder, `${index}.png`))
  for (const [index, path] of paths.entries()) {
    const pixels = Buffer.from(Array.from({ length: 8 * 8 * 3 }, (_, at) => (at * 37 + index * 91) % 256))
    await sharp(pixels, { raw: { width: 8, height: 8, channels: 3 } })
      .png()
      .toFile(path)
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const plain: InputSettings = { mean: [0], std: [1] }

/** Features of all images, `batches` at a time. */
async function featuresOf(network: WrittenModel, batches: readonly number[]): Promise<number[][]> {
  const model = decoded(network)
  const input = findImageInput(model, plain)
  const shapes = await probeShapes(model, { inputShapes: { [input.name]: batchShape(input, 1) } })
  const { preprocessing } = settlePreprocessing(model, input, [[1, 4]], plain)
  const taps = [
    { name: "map", layout: "channels-first", channels: 8 },
    { name: "embedding", layout: "channels-first", channels: 8 },
  ] as const
  const plan = planFeatures(model, shapes, taps, input.layout)
  expect(plan.blocks).toEqual([
    { name: "map", kind: "tap", offset: 0, width: 8 },
    { name: "embedding", kind: "tap", offset: 8, width: 8 },
    { name: "logits", kind: "outputs", offset: 16, width: 13 },
  ])
  const frozen = await openFrozenNetwork(model, shapes, plan, {
    inputName: input.name,
    preprocessing,
    machine: { threads: 1 },
  })
  const table = valueTable(preprocessing)
  const rows: number[][] = []
  let next = 0
  for (const count of batches) {
    const some = paths.slice(next, next + count)
    for (const [index, path] of some.entries()) {
      writePixels(await decodeInput(path, preprocessing), preprocessing, table, frozen.input, index * 192)
    }
    const values = await frozen.run(count)
    for (let row = 0; row < count; row++) rows.push([...values.subarray(row * plan.width, (row + 1) * plan.width)])
    next += count
  }
  await frozen.release()
  return rows
}

describe("a frozen network", () => {
  it("gives the same bits for an image however many images came with it", async () => {
    const alone = await featuresOf(smallNetwork, [1, 1, 1, 1, 1])
    expect(alone[0]).not.toEqual(alone[1])
    expect(await featuresOf(smallNetwork, [5])).toEqual(alone)
    expect(await featuresOf(smallNetwork, [2, 3])).toEqual(alone)
  })

  it("runs a file that takes its own batch only", async () => {
    const expected = await featuresOf(smallNetwork, [5])
    const found = await featuresOf(fixedBatchNetwork, [2, 2, 1])
    for (const [row, values] of found.entries())
      for (const [column, value] of values.entries()) expect(value).toBeCloseTo(expected[row]![column]!, 4)
  })

  it.each([
    ["channels last", channelsLastNetwork],
    ["bytes", bytesNetwork],
  ])("is fed %s where it wants them", async (_, network) => {
    const expected = await featuresOf(smallNetwork, [5])
    const found = await featuresOf(network, [5])
    for (const [row, values] of found.entries())
      for (const [column, value] of values.entries()) expect(value).toBeCloseTo(expected[row]![column]!, 4)
  })
})
