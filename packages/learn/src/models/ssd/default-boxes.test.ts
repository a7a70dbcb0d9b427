import { readSafetensors } from "@learnloss/engine"
import { relativeDifference } from "@learnloss/engine/testing"
import { describe, expect, test } from "vitest"
import { boxesPerPlace, makeDefaultBoxes } from "./default-boxes.ts"
import { mobileBoxes } from "./mobile.ts"
import { ssd300Boxes } from "./ssd300.ts"

const fixture = new URL("../../../../../fixtures/ssd/matching.safetensors", import.meta.url).pathname

describe("default boxes", () => {
  const source = { places: 2, step: 0.5, minSize: 0.25, maxSize: 0.36, aspectRatios: [4] }

  test("are two squares and two oblongs at each place, row by row", () => {
    const { boxes, perSource } = makeDefaultBoxes([source])
    expect(boxesPerPlace(source)).toBe(4)
    expect(perSource).toEqual([16])
    const sides = [
      [0.25, 0.25],
      [0.3, 0.3],
      [0.5, 0.125],
      [0.125, 0.5],
    ]
    const places = [
      [0.25, 0.25],
      [0.75, 0.25],
      [0.25, 0.75],
      [0.75, 0.75],
    ]
    expect([...boxes]).toEqual(
      places.flatMap((place) => sides.flatMap((side) => [...place, ...side])).map((each) => expect.closeTo(each, 6)),
    )
  })

  test.each([
    ["ssd300", ssd300Boxes, [5776, 2166, 600, 150, 36, 4]],
    ["mobile128", mobileBoxes(128), [1024, 384, 96, 24]],
    ["mobile96", mobileBoxes(96), [576, 216, 54, 24]],
  ] as const)("of %s are those of the PyTorch twin", (name, sources, counts) => {
    const { boxes, perSource } = makeDefaultBoxes(sources)
    expect(perSource).toEqual(counts)
    const expected = readSafetensors(fixture).get(`${name}/boxes`)?.data as Float32Array
    expect(boxes.length).toBe(expected.length)
    expect(relativeDifference(boxes, expected)).toBeLessThan(1e-6)
  })

  test("end at the image's edges", () => {
    const { boxes } = makeDefaultBoxes([{ places: 1, step: 3, minSize: 0.9, maxSize: 1.2, aspectRatios: [2] }])
    expect([...boxes]).toEqual(
      [1, 1, 0.9, 0.9, 1, 1, 1, 1, 1, 1, 1, 0.6364, 1, 1, 0.6364, 1].map((each) => expect.closeTo(each, 4)),
    )
  })
})
