import * as op from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import type { GradientCases } from "./draws.test-suite.ts"

export const movementCases = {
  Reshape: [
    { inputs: [{ shape: [2, 6] }], build: (x) => op.reshape(x, [3, 4]) },
    { inputs: [{ shape: [] }], build: (x) => op.reshape(x, [1, 1]) },
    { inputs: [{ shape: [0, 3] }], build: (x) => op.reshape(x, [3, 0, 2]) },
  ],
  Transpose: [
    { inputs: [{ shape: [2, 3, 4] }], build: (x) => op.transpose(x, [2, 0, 1]) },
    { inputs: [{ shape: [1, 3] }], build: (x) => op.transpose(x, [1, 0]) },
    { inputs: [{ shape: [0, 2] }], build: (x) => op.transpose(x, [1, 0]) },
  ],
  Expand: [
    { inputs: [{ shape: [2, 1, 3] }], build: (x) => op.expand(x, [2, 4, 3]) },
    { inputs: [{ shape: [] }], build: (x) => op.expand(x, [2, 2]) },
    { inputs: [{ shape: [3] }], build: (x) => op.expand(x, [2, 1]) },
    { inputs: [{ shape: [1, 3] }], build: (x) => op.expand(x, [0, 3]) },
  ],
  Concat: [
    { inputs: [{ shape: [2, 1] }, { shape: [2, 3] }], build: (a, b) => op.concat([a, b, a], 1) },
    { inputs: [{ shape: [0, 2] }, { shape: [3, 2] }], build: (a, b) => op.concat([a, b], 0) },
    { inputs: [{ shape: [1] }, { shape: [1] }], build: (a, b) => op.concat([a, b], 0) },
  ],
  Split: [
    { inputs: [{ shape: [2, 5] }], build: (x) => op.split(x, 1, [2, 3]) },
    { inputs: [{ shape: [2, 5] }], build: (x) => op.split(x, 1, [2, 3])[1] as Value },
    { inputs: [{ shape: [3, 2] }], build: (x) => op.split(x, 0, [1, 0, 2]) },
    { inputs: [{ shape: [1] }], build: (x) => op.split(x, 0, [1]) },
  ],
  Slice: [
    { inputs: [{ shape: [5, 4] }], build: (x) => op.slice(x, 0, 1, 4) },
    { inputs: [{ shape: [7, 2] }], build: (x) => op.slice(x, 0, 1, 7, 2) },
    { inputs: [{ shape: [6] }], build: (x) => op.slice(x, 0, -1, -100, -1) },
    { inputs: [{ shape: [7] }], build: (x) => op.slice(x, 0, 5, 0, -2) },
    { inputs: [{ shape: [7] }], build: (x) => op.slice(x, 0, 100, -100, -3) },
    { inputs: [{ shape: [1, 2] }], build: (x) => op.slice(x, 0, 0, 1) },
    { inputs: [{ shape: [4, 2] }], build: (x) => op.slice(x, 0, 2, 2) },
    { inputs: [{ shape: [6] }], build: (x) => op.slice(x, 0, 5, 5, -2) },
    {
      inputs: [{ shape: [4, 3, 5] }],
      build: (x) =>
        x.graph.add("Slice", [x], { starts: [1, -1], ends: [4, -6], axes: [0, 2], steps: [2, -3] })[0] as Value,
    },
  ],
  Pad: [
    { inputs: [{ shape: [2, 3] }], build: (x) => op.pad(x, [1, 0, 2, 3]) },
    { inputs: [{ shape: [1] }], build: (x) => op.pad(x, [0, 2]) },
    { inputs: [{ shape: [0, 2] }], build: (x) => op.pad(x, [1, 0, 1, 1]) },
    { inputs: [{ shape: [4, 5] }], build: (x) => op.pad(x, [-1, 2, -1, -2]) },
  ],
  Resize: [
    { inputs: [{ shape: [2, 3, 2, 5] }], build: (x) => op.resize(x, [2, 2]) },
    { inputs: [{ shape: [1, 2, 3, 2] }], build: (x) => op.resize(x, [1, 3]) },
    { inputs: [{ shape: [2, 1, 1, 1] }], build: (x) => op.resize(x, [3, 1]) },
  ],
} as const satisfies GradientCases
