import { floatTensor, intTensor } from "../../../graph/tensor.ts"
import {
  absent,
  awayFromZero,
  bools,
  type CaseInput,
  data,
  distinct,
  fed,
  floats,
  intScalar,
  ints,
  type OpCase,
  type OpCases,
  positive,
  scalar,
  stored,
  uneven,
} from "./op-case.test-suite.ts"

const both = [11, 22]

const broadcasts = (
  first: (shape: readonly number[]) => CaseInput = data,
  second: (shape: readonly number[]) => CaseInput = data,
  opsets: readonly number[] = both,
): readonly OpCase[] => [
  { opsets, inputs: [first([2, 3]), second([2, 3])] },
  { opsets, inputs: [first([2, 3]), second([3])] },
  { opsets, inputs: [first([2, 1, 3]), second([4, 1])] },
  { opsets, inputs: [first([]), second([2, 2])] },
  { opsets, inputs: [first([1, 3]), second([])] },
]
const away = (shape: readonly number[]) => data(shape, awayFromZero)
const apart = (shape: readonly number[]) => data(shape, distinct)
const between = (shape: readonly number[]) => data(shape, (_, at) => (at % 2 === 0 ? -10.1 : -20.1))
const numbers = (...list: number[]) => fed(floatTensor([list.length], Float32Array.from(list)))
const compared: readonly OpCase[] = [
  { opsets: both, inputs: [numbers(1, 2, 3), numbers(3, 2, 1)] },
  { opsets: both, inputs: [data([2, 3]), scalar(0.1)] },
  { opsets: both, inputs: [fed(intTensor([2, 2], [1, 2, 3, 4])), fed(intTensor([2], [1, 4]))] },
]
const since12 = compared.map((each) => ({ ...each, opsets: [12, 22] }))
const logical: readonly OpCase[] = [
  { opsets: both, inputs: [bools([2, 2], 0, 1, 0, 1), bools([2, 2], 0, 0, 1, 1)] },
  { opsets: both, inputs: [bools([2, 1], 0, 1), bools([2], 1, 0)] },
]
const unary = (draw?: Parameters<typeof data>[1]): readonly OpCase[] => [
  { opsets: [11, 13, 22], inputs: [data([3, 4], draw)] },
  { opsets: both, inputs: [data([], () => 0.7)] },
]
const rounded: readonly OpCase[] = [
  { opsets: both, inputs: [numbers(-1.5, -0.5, 0.5, 1.5, 2.5, 0.2, -0.7, 3)] },
  { opsets: both, inputs: [data([2, 5])] },
]
const variadic = (draw?: Parameters<typeof data>[1]): readonly OpCase[] => [
  { opsets: [11, 13, 22], inputs: [data([2, 3], draw), data([3], (rng, at) => -((draw?.(rng, at) ?? 0) - 0.1))] },
  { opsets: both, inputs: [data([2, 1], draw)] },
  {
    opsets: both,
    inputs: [data([2, 1], draw), data([3], (_, at) => [-20.1, -10.1, -30.1][at] as number), data([], () => -15)],
  },
]

export const arithmeticCases: OpCases = {
  Add: [...broadcasts(), { opsets: both, inputs: [fed(intTensor([2], [4, 5])), ints(1, -2)] }],
  Sub: broadcasts(),
  Mul: broadcasts(),
  Div: broadcasts(data, away),
  Pow: [
    ...broadcasts((shape) => data(shape, positive)),
    ...[-1, 0.5, 1, 2, 3, 1.7, 4].map((exponent) => ({
      opsets: both,
      inputs: [data([5], positive), scalar(exponent)],
    })),
    { opsets: both, inputs: [data([5]), scalar(2)] },
    { opsets: [12, 22], inputs: [data([5]), intScalar(3)] },
    { opsets: both, inputs: [data([2, 2], positive), floats(2, 0.5)] },
    { opsets: both, inputs: [data([2], positive), stored(floatTensor([1, 1], Float32Array.of(2)))] },
  ],
  Max: [...broadcasts(apart, between), ...variadic(distinct)],
  Min: [...broadcasts(apart, between), ...variadic(distinct)],
  Sum: variadic(),
  Mean: variadic(),
  Abs: unary(awayFromZero),
  Neg: unary(),
  Exp: unary(),
  Log: unary(positive),
  Sqrt: unary(positive),
  Reciprocal: unary(positive),
  Erf: unary(),
  Sin: unary(),
  Cos: unary(),
  Sign: rounded,
  Floor: rounded,
  Ceil: rounded,
  Round: rounded,
  Clip: [
    { opsets: [11, 12, 13, 22], inputs: [data([20], uneven), scalar(-0.5), scalar(1.5)] },
    { opsets: both, inputs: [data([20], uneven), scalar(0)] },
    { opsets: both, inputs: [data([20], uneven), absent, scalar(0.5)] },
    { opsets: both, inputs: [data([3])] },
    { opsets: both, inputs: [data([12], uneven), data([], () => -0.5), data([], () => 1)] },
    { opsets: [13], inputs: [data([20], uneven), scalar(Number.NEGATIVE_INFINITY), scalar(1.5)] },
    { opsets: [12, 22], inputs: [fed(intTensor([4], [-3, 0, 2, 9])), intScalar(-1), intScalar(4)] },
  ],
  Equal: [...compared, { opsets: both, inputs: [bools([2], 0, 1), bools([2], 1, 1)] }],
  Greater: compared,
  GreaterOrEqual: since12,
  Less: compared,
  LessOrEqual: since12,
  IsNaN: [{ opsets: [11, 13, 20, 22], inputs: [numbers(1, Number.NaN, Number.NEGATIVE_INFINITY, 0)] }],
  Not: [{ opsets: both, inputs: [bools([3], 0, 1, 1)] }],
  And: logical,
  Or: logical,
  Xor: logical,
  Where: [
    { opsets: [11, 16], inputs: [bools([2, 3], 0, 1, 0, 1, 1, 0), data([2, 3]), data([2, 3])] },
    { opsets: both, inputs: [bools([2, 1], 0, 1), data([3]), data([])] },
    { opsets: both, inputs: [bools([2], 0, 1), scalar(-1e9), data([4, 2])] },
  ],
}
