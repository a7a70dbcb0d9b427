import { describe, expect, it } from "vitest"
import { type FeatureRows, measureScaling, standardized } from "./feature-rows.ts"

function rowsOf(data: readonly (readonly number[])[]): FeatureRows & { readonly reads: () => number } {
  let reads = 0
  return {
    count: data.length,
    width: data[0]?.length ?? 0,
    read(positions, into) {
      reads++
      for (const [index, position] of positions.entries()) into.set(data[position]!, index * data[0]!.length)
    },
    reads: () => reads,
  }
}
const read = (rows: FeatureRows, positions: readonly number[]) => {
  const into = new Float32Array(positions.length * rows.width)
  rows.read(positions, into)
  return [...into].map((value) => Number(value.toFixed(4)))
}

describe("standardised features", () => {
  it("have mean 0 and deviation 1 over the rows that were measured, whatever their scale", () => {
    const rows = rowsOf([
      [1000, -2e-7],
      [1002, 2e-7],
      [5000, 1],
    ])
    const scaling = measureScaling(rows, [0, 1])
    expect(read(standardized(rows, scaling), [1, 0])).toEqual([1, 1, -1, -1])
  })

  it("are measured on more rows than are read at once", () => {
    const data = Array.from({ length: 1000 }, (_, index) => [index % 10])
    const { mean, factor } = measureScaling(rowsOf(data), [...data.keys()])
    expect(mean[0]).toBeCloseTo(4.5, 10)
    expect(1 / (factor[0] as number) ** 2).toBeCloseTo(8.25, 10)
  })

  it("are zero where a feature never changes, and bounded where it is odd", () => {
    const rows = rowsOf([
      [7, 0],
      [7, 1],
      [9, 1e9],
      [7, -1e9],
    ])
    expect(read(standardized(rows, measureScaling(rows, [0, 1])), [2, 3])).toEqual([0, 10, 0, -10])
  })

  it("are read once where they are kept, and the same as where they are not", () => {
    const data = Array.from({ length: 50 }, (_, index) => [index, index ** 2])
    const rows = rowsOf(data)
    const scaling = measureScaling(rows, [...data.keys()])
    const kept = standardized(rows, scaling, [30, 4, 9])
    const before = rows.reads()
    expect(read(kept, [9, 30, 9])).toEqual(read(standardized(rows, scaling), [9, 30, 9]))
    expect(rows.reads()).toBe(before + 1)
  })
})
