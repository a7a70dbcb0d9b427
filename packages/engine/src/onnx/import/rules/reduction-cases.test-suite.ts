import { intTensor } from "../../../graph/tensor.ts"
import {
  absent,
  awayFromZero,
  data,
  distinct,
  fed,
  intScalar,
  ints,
  type OpCase,
  type OpCases,
  positive,
} from "./op-case.test-suite.ts"

/** The attribute form up to a version, and the input form since. */
const reduced = (inputSince: number, draw?: Parameters<typeof data>[1]): readonly OpCase[] => {
  const x = data([2, 3, 2], draw)
  const before = [11, inputSince - 1]
  const after = [inputSince, 22]
  return [
    { opsets: before, inputs: [x], attributes: { axes: [1] } },
    { opsets: before, inputs: [x], attributes: { axes: [-1, 0], keepdims: 0 } },
    { opsets: [...before, ...after], inputs: [x] },
    { opsets: [...before, ...after], inputs: [x], attributes: { keepdims: 0 } },
    { opsets: after, inputs: [x, ints(1)] },
    { opsets: after, inputs: [x, ints(-1, 0)], attributes: { keepdims: 0 } },
    { opsets: after, inputs: [x, ints()] },
    { opsets: after, inputs: [x, absent], attributes: { noop_with_empty_axes: 0, keepdims: 0 } },
    { opsets: after, inputs: [x, ints(2)], attributes: { noop_with_empty_axes: 1 } },
    { opsets: after, inputs: [x], attributes: { noop_with_empty_axes: 1 } },
  ]
}

const normalized: readonly OpCase[] = [
  { opsets: [11, 12, 13, 22], inputs: [data([2, 3, 2])] },
  { opsets: [11, 12, 13, 22], inputs: [data([2, 4, 3, 2])], attributes: { axis: 1 } },
  { opsets: [11, 13], inputs: [data([2, 3, 2])], attributes: { axis: 2 } },
  { opsets: [11, 13], inputs: [data([2, 3, 2])], attributes: { axis: -2 } },
  { opsets: [11, 13], inputs: [data([2, 3, 2])], attributes: { axis: 0 } },
  { opsets: [11, 13], inputs: [data([4])], attributes: { axis: 0 } },
]

const position: readonly OpCase[] = [
  { opsets: [11, 13, 22], inputs: [data([3, 4], distinct)] },
  { opsets: [11, 22], inputs: [data([3, 4], distinct)], attributes: { axis: -1, keepdims: 0 } },
  { opsets: [11, 22], inputs: [data([2, 3], () => 1)], attributes: { axis: 1 } },
]

export const reductionCases: OpCases = {
  ReduceSum: [...reduced(13), { opsets: [13], inputs: [fed(intTensor([2, 2], [1, 2, 3, 4])), ints(0)] }],
  ReduceMean: reduced(18),
  ReduceMax: reduced(18, distinct),
  ReduceMin: reduced(18, distinct),
  ReduceL1: reduced(18, awayFromZero),
  ReduceL2: [
    ...reduced(18, awayFromZero),
    // The differences to either side of a row of zeros are equal, so its slope counts as zero.
    { opsets: [18], inputs: [data([3, 2], (rng, at) => (at < 2 ? 0 : awayFromZero(rng, at))), ints(1)] },
  ],
  ReduceLogSum: reduced(18, positive),
  ReduceLogSumExp: [...reduced(18), { opsets: [11, 18], inputs: [data([3], (_, at) => 100 * at)], isFlat: true }],
  ReduceSumSquare: reduced(18),
  Softmax: normalized,
  LogSoftmax: normalized,
  ArgMax: position,
  ArgMin: position,
  TopK: [
    { opsets: [11, 22], inputs: [data([2, 5], distinct), ints(3)], outputs: 2 },
    { opsets: [11, 22], inputs: [data([5, 2], distinct), ints(2)], outputs: 2, attributes: { axis: 0, largest: 0 } },
    { opsets: [11], inputs: [data([2, 3], distinct), ints(3)], outputs: 2, attributes: { axis: -1, sorted: 1 } },
  ],
  CumSum: [
    { opsets: [11, 14], inputs: [data([2, 3, 2]), intScalar(1)] },
    { opsets: [11, 22], inputs: [data([4]), intScalar(0)], attributes: { exclusive: 1 } },
    { opsets: [11], inputs: [data([2, 4]), intScalar(-1)], attributes: { reverse: 1 } },
    { opsets: [11], inputs: [data([4, 2]), intScalar(0)], attributes: { reverse: 1, exclusive: 1 } },
  ],
}
