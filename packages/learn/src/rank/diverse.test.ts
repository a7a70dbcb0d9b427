import { createRng } from "@learnloss/engine"
import { describe, expect, it } from "vitest"
import { chooseDiverse } from "./diverse.ts"

/** Clumps of near copies, far apart from each other; candidate i belongs to clump i mod `clumps`. */
function clumped(rows: number, clumps: number, columns: number) {
  const rng = createRng("clumps")
  const centers = Array.from({ length: clumps }, () => Float32Array.from({ length: columns }, () => 10 * rng.normal()))
  const data = new Float32Array(rows * columns)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      data[row * columns + column] = centers[row % clumps]![column]! + 0.01 * rng.normal()
  }
  return { rows, columns, data }
}

describe("a diverse choice", () => {
  it.each([8, 200])("takes the highest score of every clump of near copies, in %i dimensions", (columns) => {
    expect(chooseDiverse(clumped(60, 12, columns), 12, createRng(1))).toEqual(Array.from({ length: 12 }, (_, i) => i))
  })

  it("always holds the highest score, has no repetition and is the same for the same seed", () => {
    const embedding = clumped(100, 100, 30)
    const chosen = chooseDiverse(embedding, 25, createRng(1))
    expect(chosen[0]).toBe(0)
    expect(new Set(chosen).size).toBe(25)
    expect(chooseDiverse(embedding, 25, createRng(1))).toEqual(chosen)
  })

  it("fills up with the highest scores where the rest are exact copies", () => {
    const data = Float32Array.of(1, 1, 1, 5, 5, 1)
    expect(chooseDiverse({ rows: 6, columns: 1, data }, 4, createRng(1))).toEqual([0, 1, 2, 3])
  })

  it("takes all when there are no more", () => {
    expect(chooseDiverse(clumped(3, 3, 2), 5, createRng(1))).toEqual([0, 1, 2])
  })
})
