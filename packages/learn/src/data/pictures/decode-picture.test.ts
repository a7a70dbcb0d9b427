import { join } from "node:path"
import sharp from "sharp"
import { describe, expect, it } from "vitest"
import { temporaryFolder, write, writeImage } from "../data-files.test-suite.ts"
import { decodePicture } from "./decode-picture.ts"

describe("decodePicture", () => {
  it("gives the pixels of a small picture as they are", async () => {
    const path = join(temporaryFolder(), "small.png")
    const pixels = Buffer.from(Array.from({ length: 5 * 4 * 3 }, (_, index) => index * 4))
    await sharp(pixels, { raw: { width: 5, height: 4, channels: 3 } }).toFile(path)
    const decoded = await decodePicture(path, 300)
    expect(decoded).toMatchObject({ width: 5, height: 4, fileWidth: 5, fileHeight: 4 })
    expect([...decoded.pixels]).toEqual([...pixels])
  })

  it.each([
    [1000, 500, 300, 150],
    [333, 1001, 100, 300],
    [2000, 3, 300, 1],
    [300, 200, 300, 200],
  ])("shrinks %sx%s so that its longer side is at most 300: %sx%s", async (fileWidth, fileHeight, width, height) => {
    const path = join(temporaryFolder(), "large.jpg")
    await writeImage(path, fileWidth, fileHeight)
    const decoded = await decodePicture(path, 300)
    expect(decoded).toMatchObject({ width, height, fileWidth, fileHeight })
    expect(decoded.pixels.length).toBe(width * height * 3)
  })

  it("shrinks each axis about its whole length, also when the JPEG is decoded to a smaller size", async () => {
    const path = join(temporaryFolder(), "edge.jpg")
    const [width, height] = [1601, 1203]
    const pixels = Buffer.alloc(width * height * 3)
    for (let row = 0; row < height; row++) pixels.fill(255, (row * width + 800) * 3, (row + 1) * width * 3)
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 95 })
      .toFile(path)
    const decoded = await decodePicture(path, 384)
    const row = Array.from({ length: 384 }, (_, x) => (decoded.pixels[(100 * 384 + x) * 3] as number) / 255)
    const edge = 384 - row.reduce((sum, value) => sum + value, 0)
    // A JPEG of odd size that is decoded to a half or a quarter stands for up to one more pixel of the file.
    expect(Math.abs(edge - (800 * 384) / width)).toBeLessThan(0.5)
  })

  it("turns pictures as their EXIF orientation says, with the size they then have", async () => {
    const path = join(temporaryFolder(), "turned.png")
    const pixels = Buffer.alloc(6 * 2 * 3)
    pixels.fill(255, 0, 9)
    const raw = { width: 6, height: 2, channels: 3 } as const
    await sharp(pixels, { raw }).withMetadata({ orientation: 6 }).toFile(path)
    const decoded = await decodePicture(path, 300)
    expect(decoded).toMatchObject({ width: 2, height: 6, fileWidth: 2, fileHeight: 6 })
    // What was the left half of the first row is the upper half of the last column.
    expect([...decoded.pixels].filter((_, index) => index % 3 === 0)).toEqual([
      0, 255, 0, 255, 0, 255, 0, 0, 0, 0, 0, 0,
    ])
  })

  it("brings grey, transparent, 16-bit and CMYK pictures to 8-bit RGB", async () => {
    const folder = temporaryFolder()
    const draw = (channels: 1 | 3 | 4, colour: readonly number[]) =>
      sharp(Buffer.from(Array.from({ length: 64 }, () => colour).flat()), { raw: { width: 8, height: 8, channels } })
    const file = (name: string) => join(folder, name)
    await draw(1, [77]).toColourspace("b-w").toFile(file("grey.jpg"))
    await draw(4, [255, 0, 0, 128]).toFile(file("half.png"))
    await draw(3, [200, 100, 50]).toColourspace("rgb16").toFile(file("deep.png"))
    await draw(3, [200, 100, 50]).toColourspace("cmyk").toFile(file("ink.jpg"))
    expect((await sharp(file("ink.jpg")).metadata()).space).toBe("cmyk")
    for (const [name, expected, tolerance] of [
      ["grey.jpg", [77, 77, 77], 2],
      ["half.png", [255, 127, 127], 1],
      ["deep.png", [200, 100, 50], 1],
      ["ink.jpg", [200, 100, 50], 40],
    ] as const) {
      for (const longestSide of [300, 4]) {
        const { pixels, width } = await decodePicture(file(name), longestSide)
        expect(pixels.length, name).toBe(width * width * 3)
        for (const [channel, value] of [...pixels.subarray(0, 3)].entries()) {
          expect(Math.abs(value - expected[channel]!), `${name}, channel ${channel}`).toBeLessThanOrEqual(tolerance)
        }
      }
    }
  })

  it("refuses what is no whole image of a sane size, naming it", async () => {
    const folder = temporaryFolder()
    write(join(folder, "text.jpg"), "hello")
    await writeImage(join(folder, "dot.png"), 1, 1)
    await writeImage(join(folder, "whole.jpg"), 400, 300)
    write(join(folder, "cut.jpg"), (await sharp(join(folder, "whole.jpg")).toBuffer()).subarray(0, 900))
    for (const name of ["text.jpg", "dot.png", "cut.jpg", "missing.jpg"]) {
      await expect(decodePicture(join(folder, name), 300), name).rejects.toMatchObject({
        code: "BAD_IMAGE",
        details: { where: join(folder, name) },
      })
    }
  })

  it("refuses a picture of 20,000 x 20,000 pixels from its header", async () => {
    const path = join(temporaryFolder(), "bomb.png")
    // One colour, so the file is small whatever its size.
    await sharp({ create: { width: 20_000, height: 20_000, channels: 3, background: "red" }, limitInputPixels: false })
      .png({ palette: false, compressionLevel: 1 })
      .toFile(path)
    await expect(decodePicture(path, 300)).rejects.toThrow(/pixel limit/)
  })
})
