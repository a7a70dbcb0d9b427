import type { Graph, Value } from "../../graph/graph.ts"
import type { OpType } from "../../graph/ops.ts"
import { intTensor, type Shape } from "../../graph/tensor.ts"
import type { Rng } from "../../random/rng.ts"
import type { GradientCase } from "../../testing/finite-differences.ts"

/** Cases of some ops; those of all families together must cover every op with a gradient. */
export type GradientCases = { readonly [K in OpType]?: readonly GradientCase[] }

type Draw = { readonly draw: (rng: Rng) => number }

export const positive: Draw = { draw: (rng) => 0.5 + 2 * rng.float() }

/** Away from zero, where the op has a kink. */
export const awayFromZero: Draw = { draw: (rng) => (rng.float() < 0.5 ? -1 : 1) * (0.2 + rng.float()) }

/** One of some values, for ops with kinks in between. */
export const oneOf = (...values: readonly number[]): Draw => ({
  draw: (rng) => values[rng.integer(values.length)] as number,
})

/** The given values, in order. */
export function inOrder(...values: readonly number[]): Draw {
  let next = 0
  return { draw: () => values[next++ % values.length] as number }
}

/** Up to 211 values a tenth apart, so that no step of the differences changes which is largest. */
export function distinct(): Draw {
  let next = 0
  return { draw: () => ((next++ * 89) % 211) / 10 - 10 }
}

/** Positions as a constant of the graph. */
export function positions(graph: Graph, shape: Shape, values: readonly number[]): Value {
  return graph.constant(intTensor(shape, values), "positions")
}

/** An op of two operands with every way to broadcast, single elements and empty axes. */
export const broadcasts = (
  build: (a: Value, b: Value) => Value,
  second: Partial<Draw> = {},
  first: Partial<Draw> = {},
): GradientCase[] =>
  (
    [
      [
        [2, 3],
        [2, 3],
      ],
      [[2, 3], [3]],
      [
        [2, 1, 3],
        [1, 4, 1],
      ],
      [[], [2, 2]],
      [[1], []],
      [
        [0, 3],
        [1, 3],
      ],
    ] as const
  ).map(([a, b]) => ({
    inputs: [
      { shape: a, ...first },
      { shape: b, ...second },
    ],
    build,
  }))
