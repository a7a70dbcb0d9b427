import { describe, expect, test } from "vitest"
import { resizePicture } from "./resize.ts"

/** A dark picture with one bright stripe from column to column. */
function stripe(width: number, height: number, from: number, to: number) {
  const pixels = new Uint8Array(width * height * 3)
  for (let row = 0; row < height; row++) pixels.fill(255, (row * width + from) * 3, (row * width + to) * 3)
  return { width, height, pixels }
}

/** Width and middle of the stripe, to a fraction of a pixel: how bright a column is says how much of it is covered. */
function measure(values: readonly number[]): [width: number, middle: number] {
  const width = values.reduce((sum, value) => sum + value / 255, 0)
  const moment = values.reduce((sum, value, place) => sum + (value / 255) * (place + 0.5), 0)
  return [width, moment / width]
}

const sizes = [8, 40, 64, 100, 127, 128, 129, 200, 300, 384, 700, 1536]

describe("resizing a picture", () => {
  test.each(sizes)("brings what lies at x of %s columns or rows to x * 128 / that", async (from) => {
    const [start, end] = [Math.round(from * 0.25), Math.round(from * 0.75)]
    const expected = [((end - start) * 128) / from, ((start + end) * 64) / from]
    const columns = await resizePicture(stripe(from, 16, start, end), 128, 32)
    const [width, middle] = measure(Array.from({ length: 128 }, (_, x) => columns[(16 * 128 + x) * 3]!))
    expect(Math.abs(width - expected[0]!)).toBeLessThan(0.12)
    expect(Math.abs(middle - expected[1]!)).toBeLessThan(0.05)

    const turned = { width: 16, height: from, pixels: new Uint8Array(16 * from * 3) }
    turned.pixels.fill(255, start * 48, end * 48)
    const rows = await resizePicture(turned, 16, 128)
    const [height, centre] = measure(Array.from({ length: 128 }, (_, y) => rows[(y * 16 + 8) * 3 + 2]!))
    expect(Math.abs(height - expected[0]!)).toBeLessThan(0.12)
    expect(Math.abs(centre - expected[1]!)).toBeLessThan(0.05)
  })

  test("keeps an even colour and does not mix channels", async () => {
    for (const [width, height] of [
      [3, 300],
      [300, 3],
      [50, 50],
      [500, 400],
    ] as const) {
      const pixels = new Uint8Array(width * height * 3).map((_, index) => [10, 128, 255][index % 3]!)
      const resized = await resizePicture({ width, height, pixels }, 64, 48)
      expect(resized.length).toBe(64 * 48 * 3)
      expect([...new Set(resized.filter((_, index) => index % 3 === 0))]).toEqual([10])
      expect([...new Set(resized.filter((_, index) => index % 3 === 1))]).toEqual([128])
      expect([...new Set(resized.filter((_, index) => index % 3 === 2))]).toEqual([255])
    }
  })

  test("gives the pixels themselves where the size fits", async () => {
    const picture = stripe(30, 20, 3, 7)
    expect(await resizePicture(picture, 30, 20)).toBe(picture.pixels)
  })
})
