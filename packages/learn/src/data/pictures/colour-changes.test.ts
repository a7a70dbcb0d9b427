import { createRng } from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import { changeColours, drawColourChanges } from "./colour-changes.ts"

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
const colours = Array.from({ length: 500 }, () => [rng.integer(256), rng.integer(256), rng.integer(256)])
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

const rounded = [...colours, ...extremes]
const pixels = Uint8Array.from(rounded.flat())

/** Every colour changed as HSV says. */
function expectHsv(
  changes: Parameters<typeof changeColours>[1],
  change: (hsv: [number, number, number]) => [number, number, number],
) {
  const changed = Uint8Array.from(pixels)
  changeColours(changed, changes)
  for (const [index, colour] of rounded.entries()) {
    const expected = rgbOf(change(hsvOf(colour)))
    for (const channel of [0, 1, 2]) {
      const wanted = Math.min(255, Math.max(0, expected[channel]!))
      expect(Math.abs(changed[index * 3 + channel]! - wanted), `${colour}`).toBeLessThan(0.501)
    }
  }
}

describe("changing colours", () => {
  test.each([-18, -3.5, 0.1, 12, 18, 120, -180, 180])(
    "turning the hue by %s degrees is what it is in HSV",
    (degrees) => {
      expectHsv({ hue: degrees }, ([hue, saturation, value]) => [(hue + degrees + 360) % 360, saturation, value])
    },
  )

  test.each([0.5, 0.9, 1, 1.5])("multiplying the saturation by %s is what it is in HSV", (factor) => {
    expectHsv({ saturation: factor }, ([hue, saturation, value]) => [hue, saturation * factor, value])
  })

  test("hue and saturation change together with the contrast, in whichever order", () => {
    expectHsv({ hue: 15, saturation: 0.7, contrast: 0.8 }, ([hue, saturation, value]) => [
      (hue + 15) % 360,
      saturation * 0.7,
      value * 0.8,
    ])
  })

  test("channels come from where the order says", () => {
    const values = Uint8Array.of(1, 2, 3, 4, 5, 6)
    changeColours(values, { channels: [2, 0, 1] })
    expect([...values]).toEqual([3, 1, 2, 6, 4, 5])
    const turned = Uint8Array.of(10, 20, 60)
    changeColours(turned, { channels: [2, 0, 1], saturation: 0.5 })
    expect([...turned]).toEqual([60, 35, 40])
  })

  test("brightness and contrast are rounded and cut off once at the end", () => {
    const values = Uint8Array.of(250, 101, 3)
    changeColours(values, { brightness: 30, contrast: 0.5 })
    expect([...values]).toEqual([140, 66, 17])
    changeColours(values, { brightness: -32 })
    expect([...values]).toEqual([108, 34, 0])
    changeColours(values, { contrast: 3 })
    expect([...values]).toEqual([255, 102, 0])
    changeColours(values, {})
    expect([...values]).toEqual([255, 102, 0])
  })
})

describe("photometric distortion", () => {
  const draws = Array.from({ length: 4000 }, (_, seed) => drawColourChanges(createRng(seed)))

  test.each([
    ["brightness", -32, 32],
    ["contrast", 0.5, 1.5],
    ["saturation", 0.5, 1.5],
    ["hue", -18, 18],
  ] as const)("%s changes with probability one half, from %s to %s", (name, least, most) => {
    const drawn = draws.flatMap((changes) => changes[name] ?? [])
    // Half of 4,000 draws, give or take four standard deviations.
    expect(Math.abs(drawn.length - 2000)).toBeLessThan(4 * Math.sqrt(1000))
    const range = most - least
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(least)
    expect(Math.min(...drawn)).toBeLessThan(least + 0.01 * range)
    expect(Math.max(...drawn)).toBeLessThan(most)
    expect(Math.max(...drawn)).toBeGreaterThan(most - 0.01 * range)
  })

  test("channels change with probability one half, to all orders", () => {
    const orders = draws.flatMap(({ channels }) => channels?.join("") ?? [])
    expect(Math.abs(orders.length - 2000)).toBeLessThan(4 * Math.sqrt(1000))
    expect([...new Set(orders)].toSorted()).toEqual(["012", "021", "102", "120", "201", "210"])
  })
})
