import * as op from "../../graph/build.ts"
import { distinct, type GradientCases } from "./draws.test-suite.ts"

export const reductionCases = {
  ReduceSum: [
    { inputs: [{ shape: [2, 3, 2] }], build: (x) => op.reduceSum(x, [1]) },
    { inputs: [{ shape: [2, 3] }], build: (x) => op.mul(x, op.reduceSum(x, [0, 1], true)) },
    { inputs: [{ shape: [1, 3] }], build: (x) => op.reduceSum(x, [-2]) },
    { inputs: [{ shape: [0, 3] }], build: (x) => op.reduceSum(x, [0]) },
  ],
  ReduceMean: [
    { inputs: [{ shape: [2, 3, 2] }], build: (x) => op.reduceMean(x, [0, 2]) },
    { inputs: [{ shape: [4] }], build: (x) => op.reduceMean(x) },
    { inputs: [{ shape: [2, 1] }], build: (x) => op.reduceMean(x, [1], true) },
  ],
  ReduceMax: [
    { inputs: [{ shape: [3, 4], ...distinct() }], build: (x) => op.reduceMax(x, [1]) },
    { inputs: [{ shape: [2, 3, 2], ...distinct() }], build: (x) => op.reduceMax(x, [0, 2], true) },
    { inputs: [{ shape: [1] }], build: (x) => op.reduceMax(x) },
  ],
  Softmax: [
    { inputs: [{ shape: [3, 4] }], build: (x) => op.softmax(x) },
    { inputs: [{ shape: [3, 4] }], build: (x) => op.softmax(x, 0) },
    { inputs: [{ shape: [3, 1] }], build: (x) => op.add(op.softmax(x), x) },
  ],
  LogSoftmax: [
    { inputs: [{ shape: [3, 4] }], build: (x) => op.logSoftmax(x) },
    { inputs: [{ shape: [2, 3, 2] }], build: (x) => op.logSoftmax(x, 1) },
  ],
} as const satisfies GradientCases
