import { createRng } from "@learnloss/engine"
import { describe, expect, it } from "vitest"
import { stratifiedSplit } from "./stratified-split.ts"

const names = ["a", "b", "c", "d"]
const targets = [...Array(50).fill(0), ...Array(10).fill(1), 2, 2, 3]

describe("stratifiedSplit", () => {
  it("parts every class in the same share, with at least one image on each side where there are two", () => {
    const { train, test } = stratifiedSplit(targets, names, 0.2, createRng(0))
    const count = (positions: readonly number[]): number[] =>
      names.map((_, target) => positions.filter((position) => targets[position] === target).length)
    expect(count(test)).toEqual([10, 2, 1, 0])
    expect(count(train)).toEqual([40, 8, 1, 1])
    expect([...train, ...test].sort((a, b) => a - b)).toEqual([...targets.keys()])
  })

  it("draws a class the same whatever the other classes are", () => {
    const few = stratifiedSplit(targets.slice(0, 50), ["a"], 0.2, createRng(0))
    const all = stratifiedSplit(targets, names, 0.2, createRng(0))
    expect(all.test.filter((position) => position < 50)).toEqual(few.test)
  })
})
