import { describe, expect, test } from "vitest"
import { frequenciesOf } from "./minimal-filter.ts"

describe("minimal filtering", () => {
  test.each([
    { tile: 2, taps: 3, stride: 1, products: 4 },
    { tile: 4, taps: 3, stride: 1, products: 6 },
    { tile: 2, taps: 5, stride: 1, products: 6 },
    { tile: 4, taps: 1, stride: 1, products: 4 },
    { tile: 4, taps: 3, stride: 2, products: 9 },
    { tile: 2, taps: 4, stride: 2, products: 6 },
  ])("F($tile, $taps) of stride $stride filters with $products products", ({ tile, taps, stride, products }) => {
    const frequencies = frequenciesOf(tile, taps, stride) ?? []
    expect(frequencies).toHaveLength(products)
    const x = Array.from({ length: (tile - 1) * stride + taps + 3 }, (_, position) => Math.sin(3 * position + 1))
    const kernel = Array.from({ length: taps }, (_, tap) => Math.cos(2 * tap))
    const weighted = (factors: ReadonlyMap<number, number>, of: readonly number[]) =>
      [...factors].reduce((sum, [index, factor]) => sum + factor * (of[index] ?? 0), 0)
    for (let output = 0; output < tile; output++) {
      const direct = kernel.reduce((sum, tap, index) => sum + tap * (x[output * stride + index] as number), 0)
      const fast = frequencies.reduce(
        (sum, each) => sum + (each.output[output] as number) * weighted(each.input, x) * weighted(each.kernel, kernel),
        0,
      )
      expect(fast).toBeCloseTo(direct, 12)
    }
  })

  test("refuses what would need more points than float32 bears", () => {
    expect(frequenciesOf(4, 5, 1)).toBeUndefined()
    expect(frequenciesOf(4, 7, 2)).toBeUndefined()
  })
})
