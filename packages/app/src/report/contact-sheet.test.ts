import sharp from "sharp"
import { describe, expect, test } from "vitest"
import { contactSheet } from "./contact-sheet.ts"

const colour = { channels: 3, height: 2, width: 2 }

function picked(label: string, pixels: number[], score: number | null = 1.2345) {
  return { id: label, label, score, pixels: Uint8Array.from(pixels) }
}

async function pixelsOf(png: Uint8Array) {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const at = (x: number, y: number): number[] => [
    ...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3),
  ]
  return { info, at }
}

describe("contactSheet", () => {
  test("enlarges whole pixels, planes become colours", async () => {
    // Planes [C, H, W] of red, green / blue, white.
    const planes = [255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255]
    const { info, at } = await pixelsOf(await contactSheet([picked("a", planes)], colour))
    // The tile is 72 pixels wide and centred in its cell of 96, which starts at 8.
    const [left, top] = [8 + 12, 8]
    expect(at(left + 1, top + 1)).toEqual([255, 0, 0])
    expect(at(left + 35, top + 35)).toEqual([255, 0, 0])
    expect(at(left + 36, top + 1)).toEqual([0, 255, 0])
    expect(at(left + 1, top + 70)).toEqual([0, 0, 255])
    expect(at(info.width - 1, info.height - 1)).toEqual([255, 255, 255])
  })

  test("prints label and score under an image, whatever characters they hold", async () => {
    const words = await pixelsOf(
      await contactSheet([picked("<b>&\u0001 a very long label", Array(12).fill(255))], colour),
    )
    const without = await pixelsOf(await contactSheet([picked("", Array(12).fill(255), null)], colour))
    const dark = ({ info, at }: typeof words): number => {
      let count = 0
      for (let y = 80; y < info.height; y++) for (let x = 0; x < info.width; x++) if (at(x, y)[0]! < 120) count++
      return count
    }
    expect(dark(words)).toBeGreaterThan(100)
    expect(dark(without)).toBe(0)
  })

  test("shows at most 24 images, six in a row", async () => {
    const grey = { channels: 1, height: 28, width: 28 }
    const images = Array.from({ length: 30 }, (_, index) => picked(`${index}`, Array(784).fill(index)))
    const { info } = await pixelsOf(await contactSheet(images, grey))
    expect([info.width, info.height]).toEqual([8 + 6 * (96 + 8), 8 + 4 * (84 + 40)])
  })

  test("shrinks large images and keeps their proportions", async () => {
    const large = { channels: 1, height: 100, width: 200 }
    const { info, at } = await pixelsOf(await contactSheet([picked("a", Array(20_000).fill(9))], large))
    expect(info.height).toBe(8 + 64 + 40)
    expect(at(8, 8 + 63)).toEqual([9, 9, 9])
  })

  test("says so when nothing was picked", async () => {
    expect((await pixelsOf(await contactSheet([], colour))).info.height).toBeGreaterThan(50)
  })
})
