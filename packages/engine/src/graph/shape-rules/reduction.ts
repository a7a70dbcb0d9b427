import type { ReduceAttributes } from "../ops.ts"
import { at, axis, expectDtype, Mismatch, type ShapeRules, type TypedShape, unary } from "./rule.ts"

function reduce(inputs: readonly TypedShape[], { axes, keepdims }: ReduceAttributes): readonly TypedShape[] {
  const { dtype, shape } = at(inputs, 0)
  for (const index of axes) axis(shape, index)
  const kept = shape.map((length, index) => (axes.includes(index) ? 1 : length))
  return [{ dtype, shape: keepdims ? kept : shape.filter((_, index) => !axes.includes(index)) }]
}

export const reductionShapes = {
  ReduceSum: reduce,
  ReduceMean: reduce,
  ReduceMax: reduce,
  ArgMax: (inputs, { axis: along, keepdims }) =>
    reduce(inputs, { axes: [along], keepdims }).map(({ shape }) => ({ dtype: "int64", shape })),
  Softmax: unary,
  LogSoftmax: unary,
  OneHot: (inputs, { depth }) => {
    expectDtype(at(inputs, 0), "int64")
    return [{ dtype: "float32", shape: [...at(inputs, 0).shape, depth] }]
  },
  TopK: (inputs, { k, axis: along }) => {
    const x = at(inputs, 0)
    if (k > axis(x.shape, along)) throw new Mismatch(`k of at most ${axis(x.shape, along)}`, `${k}`)
    const shape = x.shape.map((length, index) => (index === along ? k : length))
    return [
      { dtype: x.dtype, shape },
      { dtype: "int64", shape },
    ]
  },
} as const satisfies ShapeRules
