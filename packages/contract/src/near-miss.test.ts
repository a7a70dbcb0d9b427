import { describe, expect, it } from "vitest"
import { dataFormats, strategyNames } from "./names.ts"
import { editDistance, nearest } from "./near-miss.ts"

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["", "abc", 3],
    ["kitten", "sitting", 3],
    ["teh", "the", 1],
    ["shapes", "shapes", 0],
  ])("of %j and %j is %d, both ways", (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance)
    expect(editDistance(to, from)).toBe(distance)
  })
})

describe("nearest", () => {
  it.each([
    ["cifar", "cifar10"],
    ["CIFAR10", "cifar10"],
    ["fashion_mnist", "fashion-mnist"],
    ["image", "images"],
    ["shaeps", "shapes"],
  ])("takes %j for %j", (name, meant) => {
    expect(nearest(name, dataFormats)).toBe(meant)
  })

  it("names nothing when nothing is close", () => {
    expect(nearest("imagenet-21k-full", dataFormats)).toBeUndefined()
    expect(nearest("x", strategyNames)).toBeUndefined()
    expect(nearest("anything", [])).toBeUndefined()
  })

  it("prefers the closer of two", () => {
    expect(nearest("learning-loss-ms", strategyNames)).toBe("learning-loss-mse")
  })
})
