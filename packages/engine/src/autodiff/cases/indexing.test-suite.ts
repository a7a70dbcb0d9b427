import * as op from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import type { Shape } from "../../graph/tensor.ts"
import type { GradientCase } from "../../testing/finite-differences.ts"
import { distinct, type GradientCases, positions } from "./draws.test-suite.ts"

type Positions = readonly [shape: Shape, values: readonly number[]]

const gather = (data: Shape, [shape, values]: Positions, axis: number): GradientCase => ({
  inputs: [{ shape: data }],
  build: (x) => op.gather(x, positions(x.graph, shape, values), axis),
})

const gatherElements = (data: Shape, [shape, values]: Positions, axis: number): GradientCase => ({
  inputs: [{ shape: data }],
  build: (x) => op.gatherElements(x, positions(x.graph, shape, values), axis),
})

const gatherND = (data: Shape, [shape, values]: Positions): GradientCase => ({
  inputs: [{ shape: data }],
  build: (x) => op.gatherND(x, positions(x.graph, shape, values)),
})

const scatterElements = (
  data: Shape,
  [shape, values]: Positions,
  axis: number,
  reduction: "none" | "add",
): GradientCase => ({
  inputs: [{ shape: data }, { shape }],
  build: (x, updates) => op.scatterElements(x, positions(x.graph, shape, values), updates, axis, reduction),
})

const scatterND = (data: Shape, [shape, values]: Positions, reduction: "none" | "add"): GradientCase => ({
  inputs: [{ shape: data }, { shape: [...shape.slice(0, -1), ...data.slice(shape.at(-1))] }],
  build: (x, updates) => op.scatterND(x, positions(x.graph, shape, values), updates, reduction),
})

const topK = (shape: Shape, k: number, axis: number, largest: boolean): GradientCase => ({
  inputs: [{ shape, ...distinct() }],
  build: (x: Value) => op.topK(x, k, axis, largest).values,
})

export const indexingCases = {
  Gather: [
    gather([4, 3], [[3], [2, 0, 2]], 0),
    gather(
      [2, 4, 3],
      [
        [2, 2],
        [-1, 0, 3, -4],
      ],
      1,
    ),
    gather([2, 3], [[4], [1, 1, -1, 0]], -1),
    gather([3, 2, 2], [[], [1]], 0),
    gather([2, 3, 2], [[], [-1]], 1),
    gather([2, 3, 2], [[1], [0]], 2),
    gather([2, 3], [[1, 1], [2]], 1),
    gather([1], [[3], [0, 0, -1]], 0),
    gather([3, 2], [[0], []], 0),
  ],
  GatherElements: [
    gatherElements(
      [3, 4],
      [
        [2, 4],
        [0, 2, 1, 0, 0, 1, -1, -3],
      ],
      0,
    ),
    gatherElements([2, 3, 2], [[2, 5, 2], Array.from({ length: 20 }, (_, index) => ((index * 5) % 6) - 3)], 1),
    gatherElements(
      [3, 4],
      [
        [2, 3],
        [0, 0, 0, 3, -1, 1],
      ],
      -1,
    ),
    gatherElements([1], [[1], [0]], 0),
  ],
  GatherND: [
    gatherND(
      [3, 4],
      [
        [3, 2],
        [0, 1, 2, -1, 0, 1],
      ],
    ),
    gatherND(
      [3, 2, 2],
      [
        [4, 1],
        [2, 0, -1, 2],
      ],
    ),
    gatherND(
      [2, 3, 2],
      [
        [2, 2, 2],
        [0, 1, 1, 2, 0, 1, -1, -3],
      ],
    ),
    gatherND([4], [[1], [2]]),
  ],
  ScatterElements: [
    scatterElements(
      [3, 4],
      [
        [2, 4],
        [0, 2, 1, 0, 1, 1, -1, 2],
      ],
      0,
      "none",
    ),
    scatterElements(
      [3, 4],
      [
        [2, 3],
        [0, 1, 3, 3, -4, 1],
      ],
      1,
      "none",
    ),
    scatterElements(
      [3, 4],
      [
        [2, 4],
        [0, 2, 1, 0, 0, 2, -2, -3],
      ],
      0,
      "add",
    ),
    scatterElements(
      [2, 3, 2],
      [
        [2, 4, 1],
        [0, 0, -3, 2, 1, 1, 1, 1],
      ],
      -2,
      "add",
    ),
    scatterElements([1], [[1], [0]], 0, "add"),
  ],
  ScatterND: [
    scatterND(
      [3, 4],
      [
        [3, 2],
        [0, 1, 2, -1, 0, 0],
      ],
      "none",
    ),
    scatterND(
      [4, 2, 2],
      [
        [2, 1],
        [3, -4],
      ],
      "none",
    ),
    scatterND(
      [3, 4],
      [
        [4, 2],
        [0, 1, 2, -1, 0, 1, -3, 1],
      ],
      "add",
    ),
    scatterND(
      [3, 2, 2],
      [
        [2, 2, 1],
        [1, 1, -1, 2],
      ],
      "add",
    ),
    scatterND([4], [[1], [2]], "none"),
  ],
  TopK: [
    topK([3, 5], 2, 1, true),
    topK([3, 5], 2, -1, false),
    topK([4, 2, 3], 3, 0, true),
    topK([3, 1], 1, 1, true),
    topK([3], 3, 0, false),
  ],
} as const satisfies GradientCases
