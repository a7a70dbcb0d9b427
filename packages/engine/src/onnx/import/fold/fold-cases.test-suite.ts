import { floatTensor, intTensor } from "../../../graph/tensor.ts"
import {
  absent,
  bools,
  type CaseInput,
  floats,
  intScalar,
  ints,
  type OpCase,
  type OpCases,
  scalar,
  stored,
} from "../rules/op-case.test-suite.ts"

const both = [11, 22]
const whole = (shape: readonly number[], ...values: number[]): CaseInput => stored(intTensor(shape, values))
const one = (...inputs: CaseInput[]): OpCase => ({ opsets: both, inputs })
const signs = [ints(7, -7, 7, -7), ints(2, 2, -2, -2)]

const reduced: readonly OpCase[] = [
  { opsets: [11, 13, 17], inputs: [whole([2, 2], 1, 2, 3, -4)] },
  { opsets: [18, 22], inputs: [whole([2, 2], 1, 2, 3, -4), ints(1)], attributes: { keepdims: 0 } },
  { opsets: [18, 22], inputs: [whole([2, 2], 1, 2, 3, -4), ints()], attributes: { noop_with_empty_axes: 1 } },
]

/** What the tables of import rules leave open: whole numbers, truth values, and ops that make numbers. */
export const foldCases: OpCases = {
  Add: [one(ints(1, 2), intScalar(-3)), one(whole([2, 1], 1, 2), ints(10, 20, 30))],
  Sub: [one(ints(1, 2), ints(5, -5))],
  Mul: [one(ints(3, -4), ints(5))],
  Div: [one(...signs), one(intScalar(-1), intScalar(2))],
  Mod: [
    one(...signs),
    { opsets: both, inputs: signs, attributes: { fmod: 1 } },
    { opsets: both, inputs: [floats(5.5, -5.5, 5.5), floats(2, 2, -2)], attributes: { fmod: 1 } },
  ],
  Pow: [
    { opsets: [12, 22], inputs: [ints(2, -3, 0), ints(5, 3, 0)] },
    { opsets: [12, 22], inputs: [floats(2, 9), ints(2, -1)] },
  ],
  Min: [{ opsets: [12, 22], inputs: [ints(1, 5), ints(3, 3), intScalar(2)] }],
  Max: [{ opsets: [12, 22], inputs: [ints(1, 5), ints(3, 3), intScalar(2)] }],
  Neg: [one(ints(1, -2))],
  Abs: [one(ints(1, -2))],
  Sign: [one(ints(3, -2, 0))],
  Where: [
    one(bools([2], 0, 1), ints(1, 2), intScalar(9)),
    one(bools([2], 0, 1), scalar(1), scalar(2)),
    one(bools([2, 1], 0, 1), ints(1, 2), ints(-1)),
  ],
  Concat: [
    { opsets: both, inputs: [ints(1), ints(2, 3), ints(4)], attributes: { axis: 0 } },
    { opsets: both, inputs: [whole([2, 1], 1, 2), whole([2, 2], 3, 4, 5, 6)], attributes: { axis: -1 } },
  ],
  Gather: [one(ints(5, 6, 7), intScalar(-1)), one(ints(5, 6, 7), ints(2, 0))],
  Slice: [
    one(ints(5, 6, 7, 8), ints(1), ints(Number.MAX_SAFE_INTEGER)),
    one(ints(5, 6, 7), ints(-1), ints(-9), ints(0), ints(-1)),
  ],
  Unsqueeze: [{ opsets: [13, 22], inputs: [intScalar(4), ints(0)] }],
  Tile: [one(ints(1, 2), ints(3))],
  Expand: [one(intScalar(3), ints(2, 2))],
  Cast: [
    ...[1, 6, 7, 9].map((to) => ({ opsets: both, inputs: [floats(-2.7, 0, 2.7)], attributes: { to } })),
    ...[1, 2, 3, 4, 5, 6, 7, 9, 12].map((to) => ({
      opsets: both,
      inputs: [ints(-2, 0, 2 ** 33 + 300)],
      attributes: { to },
    })),
    { opsets: both, inputs: [bools([2], 0, 1)], attributes: { to: 7 } },
  ],
  ConstantOfShape: [
    { opsets: [11, 20, 22], inputs: [ints(2, 3)] },
    { opsets: both, inputs: [ints(4)], attributes: { value: intTensor([1], [-7]) } },
    { opsets: both, inputs: [ints()], attributes: { value: floatTensor([1], Float32Array.of(1.5)) } },
  ],
  Range: [
    one(intScalar(0), intScalar(5), intScalar(1)),
    one(intScalar(9), intScalar(1), intScalar(-3)),
    one(intScalar(3), intScalar(3), intScalar(1)),
    one(scalar(0.5), scalar(2.1), scalar(0.5)),
  ],
  EyeLike: [
    { opsets: both, inputs: [whole([2, 3], 0, 0, 0, 0, 0, 0)] },
    { opsets: both, inputs: [whole([3, 3], 0, 0, 0, 0, 0, 0, 0, 0, 0)], attributes: { k: -1, dtype: 1 } },
  ],
  NonZero: [one(floats(0, 1.5, 0, -2)), one(whole([2, 2], 0, 1, 2, 0)), one(bools([2, 2], 1, 0, 0, 1))],
  ReduceProd: [
    ...reduced,
    { opsets: [11, 17], inputs: [floats(2, 0.5, 3)], attributes: { keepdims: 0, axes: [0] } },
    { opsets: [13, 18], inputs: [ints()], attributes: { keepdims: 0 } },
  ],
  ReduceMin: reduced,
  ReduceMax: reduced,
  CumSum: [
    one(ints(1, 2, 3), intScalar(0)),
    { opsets: both, inputs: [whole([2, 2], 1, 2, 3, 4), intScalar(-1)], attributes: { exclusive: 1, reverse: 1 } },
  ],
  ScatterND: [one(ints(1, 2, 3, 4), whole([2, 1], 0, -1), ints(9, 8))],
  ScatterElements: [
    { opsets: [18, 22], inputs: [ints(1, 2, 3), ints(0, 0), ints(5, 6)], attributes: { reduction: "add" } },
  ],
  Pad: [
    one(ints(1, 2, 3), ints(1, 2), intScalar(-1)),
    {
      opsets: [18, 22],
      inputs: [whole([2, 3], 1, 2, 3, 4, 5, 6), ints(2, 1), absent, ints(1)],
      attributes: { mode: "reflect" },
    },
  ],
}
