import { describe, expect, it } from "vitest"
import { measureNormalization, normalizationPerChannel, normalizationTable } from "./normalization.ts"
import { sampleSet } from "./sample-set.ts"

describe("measureNormalization", () => {
  it("measures each channel over all images, and does not divide by zero", () => {
    const images = [Uint8Array.of(0, 51, 9, 9), Uint8Array.of(102, 51, 9, 9)]
    const set = sampleSet("here", ["a", "b"], [0, 1], images)
    const { mean, std } = measureNormalization(set, { channels: 2, height: 1, width: 2 })
    expect(mean[0]).toBeCloseTo(0.2, 12)
    expect(std[0]).toBeCloseTo(Math.sqrt((51 ** 2 + 0 + 51 ** 2 + 0) / 4) / 255, 12)
    expect(mean[1]).toBeCloseTo(9 / 255, 12)
    expect(std[1]).toBe(1)
  })
})

describe("normalizationPerChannel", () => {
  it("takes one value for all channels or one for each", () => {
    expect(normalizationPerChannel({ mean: [0.5], std: [0.1, 0.2, 0.3] }, 3)).toEqual({
      mean: [0.5, 0.5, 0.5],
      std: [0.1, 0.2, 0.3],
    })
  })

  it.each([
    [{ mean: [0, 0], std: [1] }, 3, /--mean: expected one value or three, got 2/],
    [{ mean: [0, 0, 0], std: [1] }, 1, /--mean: expected one value, got 3/],
    [{ mean: [0], std: [1, 0, 1] }, 3, /--std: expected values above 0, got 1,0,1/],
    [{ mean: [0], std: [Number.NaN] }, 3, /above 0/],
  ])("refuses %j for %i channels", (given, channels, message) => {
    expect(() => normalizationPerChannel(given, channels)).toThrow(message)
  })
})

describe("normalizationTable", () => {
  it("holds the normalised value of every pixel value of each channel", () => {
    const table = normalizationTable({ mean: [0.5, 0], std: [0.25, 1] })
    expect(table.length).toBe(512)
    expect([table[0], table[255], table[256], table[511]]).toEqual([-2, 2, 0, 1])
  })
})
