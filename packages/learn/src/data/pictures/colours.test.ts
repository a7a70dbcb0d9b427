import { createRng } from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import { changeColours, drawColourChanges } from "./colour-changes.ts"
import { reorder, saturate, turnHue } from "./colours.ts"

/** Plain HSV as colour books have it: hue in degrees, saturation and value in 0..1. */
function hsvOf([red, green, blue]: readonly number[]): [number, number, number] {
  const [r, g, b] = [red! / 255, green! / 255, blue! / 255]
  const value = Math.max(r, g, b)
  const chroma = value - Math.min(r, g, b)
  const hue =
    chroma === 0 ? 0 : value === r ? ((g - b) / chroma) % 6 : value === g ? (b - r) / chroma + 2 : (r - g) / chroma + 4
  return [(hue * 60 + 360) % 360, value === 0 ? 0 : chroma / value, value]
}

function rgbOf([hue, saturation, value]: readonly [number, number, number]): number[] {
  return [5, 3, 1].map((n) => {
    const k = (n + hue / 60) % 6
    return 255 * (value - value * saturation * Math.max(0, Math.min(k, 4 - k, 1)))
  })
}

const rng = createRng("colours")
const colours = Array.from({ length: 500 }, () => [rng.float() * 255, rng.float() * 255, rng.float() * 255])
const extremes = [
  [0, 0, 0],
  [255, 255, 255],
  [7, 7, 7],
  [255, 0, 0],
  [255, 255, 0],
  [0, 255, 0],
  [0, 255, 255],
  [0, 0, 255],
  [255, 0, 255],
]

describe("colours", () => {
  test.each([-18, -3.5, 0, 12, 18])("turning the hue by %s degrees is what it is in HSV", (degrees) => {
    for (const colour of [...colours, ...extremes]) {
      const turned = new Float32Array(colour)
      turnHue(turned, degrees)
      const [hue, saturation, value] = hsvOf(colour)
      const expected = rgbOf([(hue + degrees + 360) % 360, saturation, value])
      for (const channel of [0, 1, 2]) expect(turned[channel]).toBeCloseTo(expected[channel]!, 2)
    }
  })

  test.each([0.5, 0.9, 1])("multiplying the saturation by %s is what it is in HSV", (factor) => {
    for (const colour of [...colours, ...extremes]) {
      const changed = new Float32Array(colour)
      saturate(changed, factor)
      const [hue, saturation, value] = hsvOf(colour)
      const expected = rgbOf([hue, saturation * factor, value])
      for (const channel of [0, 1, 2]) expect(changed[channel]).toBeCloseTo(expected[channel]!, 2)
    }
  })

  test("channels come from where the order says", () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6)
    reorder(values, [2, 0, 1])
    expect([...values]).toEqual([3, 1, 2, 6, 4, 5])
  })

  test("changes follow each other without loss and are rounded and cut off once at the end", () => {
    const pixels = Uint8Array.of(250, 101, 3)
    changeColours(pixels, [
      { kind: "brightness", delta: 30 },
      { kind: "contrast", factor: 0.5 },
      { kind: "contrast", factor: 2 },
      { kind: "brightness", delta: -29.6 },
    ])
    expect([...pixels]).toEqual([250, 101, 3])
    changeColours(pixels, [{ kind: "brightness", delta: -32 }])
    expect([...pixels]).toEqual([218, 69, 0])
    changeColours(pixels, [{ kind: "contrast", factor: 1.5 }])
    expect([...pixels]).toEqual([255, 104, 0])
  })
})

describe("photometric distortion", () => {
  const draws = Array.from({ length: 4000 }, (_, seed) => drawColourChanges(createRng(seed)))
  /** Half of 4,000 draws, give or take four standard deviations. */
  const aboutHalf = (count: number) => expect(Math.abs(count - 2000)).toBeLessThan(4 * Math.sqrt(1000))

  test.each(["brightness", "contrast", "saturation", "hue", "channels"])(
    "%s changes with probability one half",
    (kind) => {
      aboutHalf(draws.filter((changes) => changes.some((change) => change.kind === kind)).length)
    },
  )

  test("the contrast stands before or after the hue alike, and all values in their ranges", () => {
    const both = draws
      .map((changes) => changes.map(({ kind }) => kind))
      .filter((kinds) => kinds.includes("contrast") && kinds.includes("hue"))
    const before = both.filter((kinds) => kinds.indexOf("contrast") < kinds.indexOf("hue")).length
    expect(Math.abs(before / both.length - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / both.length))
    const all = draws.flat()
    const spread = (values: number[]) =>
      [Math.min(...values), Math.max(...values)].map((value) => Math.round(value * 10) / 10)
    expect(spread(all.flatMap((change) => (change.kind === "brightness" ? Math.round(change.delta) : [])))).toEqual([
      -32, 32,
    ])
    expect(spread(all.flatMap((change) => (change.kind === "contrast" ? change.factor : [])))).toEqual([0.5, 1.5])
    expect(spread(all.flatMap((change) => (change.kind === "saturation" ? change.factor : [])))).toEqual([0.5, 1.5])
    expect(spread(all.flatMap((change) => (change.kind === "hue" ? Math.round(change.degrees) : [])))).toEqual([
      -18, 18,
    ])
    const orders = all.flatMap((change) => (change.kind === "channels" ? change.order.join("") : []))
    expect([...new Set(orders)].toSorted()).toEqual(["012", "021", "102", "120", "201", "210"])
  })
})
