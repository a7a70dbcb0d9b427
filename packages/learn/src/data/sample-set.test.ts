import { describe, expect, it } from "vitest"
import { requireUniqueIds, sampleSet, subset } from "./sample-set.ts"

const images = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]

describe("sampleSet", () => {
  it("refuses lists of different length", () => {
    expect(() => sampleSet("here", ["a", "b", "c"], [0, 1], images)).toThrow(/here: expected one label for each of 3/)
  })

  it("gives parts of parts", () => {
    const set = sampleSet("here", ["a", "b", "c"], [0, 1, 2], images)
    const part = subset(subset(set, [2, 0]), [0])
    expect([part.ids, part.targets, part.image(0)]).toEqual([["c"], [2], images[2]])
    expect(() => part.image(1)).toThrow(RangeError)
  })
})

describe("requireUniqueIds", () => {
  it("looks within and across splits", () => {
    const of = (...ids: string[]) => ({ ids })
    expect(() => requireUniqueIds("here", of("a", "b"), of("c"))).not.toThrow()
    expect(() => requireUniqueIds("here", of("a", "a"))).toThrow(/"a" twice/)
    expect(() => requireUniqueIds("here", of("a", "b"), of("b"))).toThrow(/"b" twice/)
  })
})
