import { readFileSync } from "node:fs"
import { join } from "node:path"
import { crc32, deflateSync } from "node:zlib"
import sharp, { type Sharp } from "sharp"
import { describe, expect, it } from "vitest"
import { temporaryFolder, write, writeImage } from "./data-files.test-suite.ts"
import { decodeImage, toPlanes } from "./decode-image.ts"

type Pixel = (column: number, row: number) => readonly number[]

function draw(width: number, height: number, pixel: Pixel): Sharp {
  const values = Array.from({ length: width * height }, (_, index) => pixel(index % width, Math.floor(index / width)))
  const channels = (values[0]?.length ?? 0) as 1 | 2 | 3 | 4
  return sharp(Buffer.from(values.flat()), { raw: { width, height, channels } })
}

/** Value of one pixel of planes [3, side, side]. */
function pick(planes: Uint8Array, side: number, column: number, row: number): number[] {
  return [0, 1, 2].map((channel) => planes[(channel * side + row) * side + column]!)
}

describe("decodeImage", () => {
  it.each(["png", "jpg", "jpeg", "webp"])("reads .%s into planes of the wanted size", async (extension) => {
    const path = join(temporaryFolder(), `a.${extension}`)
    await writeImage(path, 21, 13, "#0080ff")
    const planes = await decodeImage(path, 8)
    expect(planes.length).toBe(3 * 64)
    const [red, green, blue] = pick(planes, 8, 4, 4) as [number, number, number]
    expect(red).toBeLessThan(6)
    expect(Math.abs(green - 128)).toBeLessThan(6)
    expect(blue).toBeGreaterThan(249)
  })

  it("brings the shorter side to size and cuts the middle out", async () => {
    const path = join(temporaryFolder(), "wide.png")
    await draw(24, 8, (column) => (column < 8 ? [255, 0, 0] : column < 16 ? [0, 255, 0] : [0, 0, 255])).toFile(path)
    const planes = await decodeImage(path, 8)
    for (const [column, row] of [
      [0, 0],
      [7, 7],
    ] as const) {
      expect(pick(planes, 8, column, row)).toEqual([0, 255, 0])
    }
  })

  it("turns the image as its EXIF orientation says", async () => {
    const path = join(temporaryFolder(), "turned.png")
    const picture = draw(8, 8, (column) => (column < 4 ? [255, 255, 255] : [0, 0, 0]))
    await picture.withMetadata({ orientation: 6 }).toFile(path)
    const planes = await decodeImage(path, 8)
    expect(pick(planes, 8, 6, 1)).toEqual([255, 255, 255])
    expect(pick(planes, 8, 1, 6)).toEqual([0, 0, 0])
  })

  it("lays transparent images over white", async () => {
    const folder = temporaryFolder()
    await draw(8, 8, () => [255, 0, 0, 128]).toFile(join(folder, "half.png"))
    await draw(8, 8, () => [9, 9, 9, 0]).toFile(join(folder, "clear.webp"))
    expect(pick(await decodeImage(join(folder, "half.png"), 8), 8, 3, 3)).toEqual([255, 127, 127])
    expect(pick(await decodeImage(join(folder, "clear.webp"), 8), 8, 3, 3)).toEqual([255, 255, 255])
  })

  it("brings grey, grey with alpha, 16-bit and CMYK images to 8-bit RGB", async () => {
    const folder = temporaryFolder()
    const file = (name: string): string => join(folder, name)
    await draw(8, 8, () => [77])
      .toColourspace("b-w")
      .toFile(file("grey.png"))
    await draw(8, 8, () => [77, 255])
      .toColourspace("b-w")
      .toFile(file("grey-alpha.png"))
    await draw(8, 8, () => [200, 100, 50])
      .toColourspace("rgb16")
      .toFile(file("deep.png"))
    await draw(8, 8, () => [77])
      .toColourspace("grey16")
      .toFile(file("deep-grey.png"))
    await draw(8, 8, () => [200, 100, 50])
      .toColourspace("cmyk")
      .toFile(file("ink.jpg"))
    expect((await sharp(file("deep.png")).metadata()).depth).toBe("ushort")
    expect((await sharp(file("ink.jpg")).metadata()).space).toBe("cmyk")
    for (const [name, expected, tolerance] of [
      ["grey.png", [77, 77, 77], 0],
      ["grey-alpha.png", [77, 77, 77], 0],
      ["deep.png", [200, 100, 50], 1],
      ["deep-grey.png", [77, 77, 77], 1],
      ["ink.jpg", [200, 100, 50], 40],
    ] as const) {
      const planes = await decodeImage(file(name), 8)
      expect(planes.length, name).toBe(192)
      for (const [channel, value] of pick(planes, 8, 4, 4).entries()) {
        expect(Math.abs(value - expected[channel]!), `${name}, channel ${channel}`).toBeLessThanOrEqual(tolerance)
      }
    }
  })

  it("refuses 1-pixel and one-pixel-wide images", async () => {
    const folder = temporaryFolder()
    await writeImage(join(folder, "dot.png"), 1, 1)
    await writeImage(join(folder, "line.png"), 1, 50)
    await expect(decodeImage(join(folder, "dot.png"), 8)).rejects.toThrow(/at least 2x2 pixels, got 1x1/)
    await expect(decodeImage(join(folder, "line.png"), 8)).rejects.toMatchObject({ code: "BAD_IMAGE" })
  })

  it("refuses empty, foreign, disguised and cut-off files, naming them", async () => {
    const folder = temporaryFolder()
    await draw(200, 100, (column, row) => [(column * row) % 256, column, row]).toFile(join(folder, "whole.jpg"))
    write(join(folder, "empty.png"), "")
    write(join(folder, "text.png"), "hello")
    write(join(folder, "svg.png"), "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>")
    write(join(folder, "cut.jpg"), readFileSync(join(folder, "whole.jpg")).subarray(0, 3000))
    for (const [name, reason] of [
      ["empty.png", /an empty file/],
      ["text.png", /unsupported image format/],
      ["svg.png", /a file of format svg/],
      ["cut.jpg", /premature end/],
      ["missing.png", /ENOENT/],
    ] as const) {
      await expect(decodeImage(join(folder, name), 8), name).rejects.toMatchObject({
        code: "BAD_IMAGE",
        message: expect.stringMatching(reason),
        details: { where: join(folder, name) },
      })
    }
  })

  it("refuses a decompression bomb from its header", async () => {
    const path = join(temporaryFolder(), "bomb.png")
    const header = Buffer.alloc(13)
    header.writeUInt32BE(30_000, 0)
    header.writeUInt32BE(30_000, 4)
    header.set([8, 2, 0, 0, 0], 8) // 8 bits, RGB
    const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    const data = deflateSync(Buffer.alloc(1000))
    write(path, Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]))
    await expect(decodeImage(path, 8)).rejects.toThrow(/pixel limit/)
  })
})

describe("toPlanes", () => {
  it("separates interleaved channels", () => {
    expect([...toPlanes(Uint8Array.from([1, 2, 3, 4, 5, 6]), 3)]).toEqual([1, 4, 2, 5, 3, 6])
  })
})

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), content])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(content.length)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}
