import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { decodeInput, type Preprocessing, valueTable, writePixels } from "./decode-input.ts"

let folder: string
let wide: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "learnloss-input-"))
  wide = join(folder, "wide.png")
  // Three squares of 8x8: red, green, blue.
  const pixels = Buffer.alloc(24 * 8 * 3)
  for (let pixel = 0; pixel < 24 * 8; pixel++) pixels[pixel * 3 + Math.floor((pixel % 24) / 8)] = 255
  await sharp(pixels, { raw: { width: 24, height: 8, channels: 3 } })
    .png()
    .toFile(wide)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const base: Preprocessing = {
  height: 8,
  width: 8,
  channels: 3,
  layout: "channels-first",
  fit: "cover",
  dataType: "float32",
  mean: [0, 0.5, 0],
  std: [1, 0.5, 2],
}
const pixelOf = (pixels: Uint8Array, row: number, column: number, width = 8) =>
  [...pixels.subarray((row * width + column) * 3, (row * width + column) * 3 + 3)].map(Math.round)

describe("images as a network's input", () => {
  it("covers the input with the middle of the image", async () => {
    const pixels = await decodeInput(wide, base)
    expect([pixelOf(pixels, 4, 0), pixelOf(pixels, 4, 7)]).toEqual([
      [0, 255, 0],
      [0, 255, 0],
    ])
  })

  it("stretches the whole image over the input", async () => {
    const pixels = await decodeInput(wide, { ...base, width: 12, fit: "stretch" })
    expect([0, 6, 11].map((column) => pixelOf(pixels, 4, column, 12))).toEqual([
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
    ])
  })

  it("shows the whole image between bars of grey", async () => {
    const pixels = await decodeInput(wide, { ...base, height: 24, width: 24, fit: "letterbox" })
    expect([pixelOf(pixels, 1, 12, 24), pixelOf(pixels, 12, 3, 24), pixelOf(pixels, 23, 20, 24)]).toEqual([
      [114, 114, 114],
      [255, 0, 0],
      [114, 114, 114],
    ])
  })

  it("gives one channel of grey", async () => {
    const pixels = await decodeInput(wide, { ...base, channels: 1 })
    expect(pixels).toHaveLength(64)
    // Green is the lightest of the three but not white.
    expect(pixels[0]).toBeGreaterThan(100)
    expect(pixels[0]).toBeLessThan(240)
  })

  it("normalises into either layout", () => {
    const pixels = Uint8Array.of(255, 0, 51, 0, 255, 102)
    const table = valueTable(base)
    const write = (layout: Preprocessing["layout"]) => {
      const out = new Float32Array(7)
      writePixels(pixels, { channels: 3, layout }, table, out, 1)
      return [...out].map((value) => Number(value.toFixed(4)))
    }
    expect(write("channels-first")).toEqual([0, 1, 0, -1, 1, 0.1, 0.2])
    expect(write("channels-last")).toEqual([0, 1, -1, 0.1, 0, 1, 0.2])
  })

  it("leaves the pixels of a uint8 input as they are", () => {
    const out = new Uint8Array(6)
    const table = valueTable({ ...base, dataType: "uint8" })
    writePixels(Uint8Array.of(1, 2, 3, 4, 5, 255), { channels: 3, layout: "channels-first" }, table, out, 0)
    expect([...out]).toEqual([1, 4, 2, 5, 3, 255])
  })
})
