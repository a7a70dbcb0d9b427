import { createRng, type Rng } from "@learnloss/engine"
import { describe, expect, it } from "vitest"
import type { ImageShape } from "./dataset.ts"
import { normalizationTable } from "./normalization.ts"
import { augmentInto, normalizeInto } from "./transforms.ts"

const shape: ImageShape = { channels: 2, height: 5, width: 4 }
const size = 40
const normalization = { mean: [0.2, 0.6], std: [0.5, 0.25] }
const table = normalizationTable(normalization)
const image = Uint8Array.from({ length: size }, (_, index) => (index * 37) % 256)

/** A stream that draws the given shifts (0..2*crop, down then right) and a coin. */
function loadedRng(down: number, right: number, coin: number): Rng {
  const integers = [down, right]
  return { ...createRng(0), integer: () => integers.shift()!, float: () => coin }
}

/** The same by the book: pad the normalised image with zeros, cut, mirror. */
function reference(crop: number, down: number, right: number, isMirrored: boolean): number[] {
  const { channels, height, width } = shape
  const out: number[] = []
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const fromRow = row + down - crop
        const fromColumn = (isMirrored ? width - 1 - column : column) + right - crop
        const isInside = fromRow >= 0 && fromRow < height && fromColumn >= 0 && fromColumn < width
        const pixel = image[(channel * height + fromRow) * width + fromColumn]!
        out.push(isInside ? Math.fround((pixel / 255 - normalization.mean[channel]!) / normalization.std[channel]!) : 0)
      }
    }
  }
  return out
}

describe("normalizeInto", () => {
  it("scales every channel by its own mean and deviation, at the offset only", () => {
    const out = new Float32Array(size + 20).fill(9)
    normalizeInto(image, shape, table, out, 10)
    expect([...out.subarray(10, 10 + size)]).toEqual(reference(0, 0, 0, false))
    expect([...out.subarray(0, 10), ...out.subarray(10 + size)]).toEqual(Array(20).fill(9))
  })
})

describe("augmentInto", () => {
  it.each([1, 2, 6])("with crop %d equals padding after normalisation, cutting and mirroring", (crop) => {
    for (let down = 0; down <= 2 * crop; down++) {
      for (let right = 0; right <= 2 * crop; right++) {
        for (const isMirrored of [false, true]) {
          const out = new Float32Array(size + 20).fill(9)
          const rng = loadedRng(down, right, isMirrored ? 0.49 : 0.5)
          augmentInto(image, shape, { crop, flip: true }, table, rng, out, 10)
          expect([...out.subarray(10, 10 + size)]).toEqual(reference(crop, down, right, isMirrored))
          expect([...out.subarray(0, 10), ...out.subarray(10 + size)]).toEqual(Array(20).fill(9))
        }
      }
    }
  })

  it("without crop and flip equals normalizeInto and draws nothing", () => {
    const [plain, augmented] = [new Float32Array(size), new Float32Array(size)]
    const rng = createRng(1)
    normalizeInto(image, shape, table, plain, 0)
    augmentInto(image, shape, { crop: 0, flip: false }, table, rng, augmented, 0)
    expect(augmented).toEqual(plain)
    expect(rng.float()).toBe(createRng(1).float())
  })

  it("gives the same for the same stream and, over many, every shift and both sides", () => {
    const seen = new Set<string>()
    for (let draw = 0; draw < 400; draw++) {
      const [first, second] = [new Float32Array(size), new Float32Array(size)]
      augmentInto(image, shape, { crop: 1, flip: true }, table, createRng(draw), first, 0)
      augmentInto(image, shape, { crop: 1, flip: true }, table, createRng(draw), second, 0)
      expect(second).toEqual(first)
      seen.add(first.join())
    }
    expect(seen.size).toBe(18)
  })
})
