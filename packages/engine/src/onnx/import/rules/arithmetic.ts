import {
  abs,
  add,
  and,
  cast,
  ceil,
  clip,
  cos,
  div,
  equal,
  erf,
  exp,
  floor,
  greater,
  greaterOrEqual,
  less,
  log,
  max,
  min,
  mul,
  neg,
  not,
  or,
  pow,
  reciprocal,
  round,
  sign,
  sin,
  sqrt,
  sub,
  where,
  xor,
} from "../../../graph/build.ts"
import type { Value } from "../../../graph/graph.ts"
import type { ImportContext, ImportRule } from "../rule.ts"
import { exportAgain } from "./axes.ts"

const unary = (build: (x: Value) => Value, gradient = true): ImportRule => ({
  since: 11,
  gradient,
  build: (c) => build(c.input(0)),
})

const binary = (build: (a: Value, b: Value) => Value, gradient = true): ImportRule => ({
  since: 11,
  gradient,
  build: (c) => build(c.input(0), c.input(1)),
})

function allInputs(c: ImportContext): readonly [Value, ...Value[]] {
  if (c.inputCount === 0) return c.fail("at least one input", "none", exportAgain)
  return [c.input(0), ...Array.from({ length: c.inputCount - 1 }, (_, position) => c.input(position + 1))]
}

const variadic = (join: (a: Value, b: Value) => Value): ImportRule => ({
  since: 11,
  gradient: true,
  build: (c) => allInputs(c).reduce((joined, input) => join(joined, input)),
})

/** Fixed exponents that are products or roots; the general power needs a logarithm for its gradient. */
const plainPowers: Readonly<Record<number, (x: Value) => Value>> = {
  [-1]: reciprocal,
  0.5: sqrt,
  1: (x) => x,
  2: (x) => mul(x, x),
  3: (x) => mul(mul(x, x), x),
}

function power(c: ImportContext): Value {
  const [base, fixed] = [c.input(0), c.constant(1)]
  if (base.dtype !== "float32") return c.fail("a float base", base.dtype)
  const exponent = fixed !== undefined && fixed.data.length === 1 ? Number(fixed.data[0]) : undefined
  const isOneNumber = exponent !== undefined && (fixed?.shape.length ?? 0) <= base.shape.length
  const plain = isOneNumber ? plainPowers[exponent] : undefined
  return plain === undefined ? pow(base, cast(c.input(1), "float32")) : plain(base)
}

/** The largest float32; bounds that are left out stand there. */
const largest = 3.4028234663852886e38

/** Bounds that depend on data, or integers, take the two ops that `Clip` stands for. */
function clipped(c: ImportContext): Value {
  const x = c.input(0)
  const isFixed = [1, 2].every((position) => !c.hasInput(position) || c.constant(position)?.dtype === "float32")
  if (x.dtype === "float32" && isFixed) {
    const [low, high] = [c.constantFloats(1)?.[0] ?? -largest, c.constantFloats(2)?.[0] ?? largest]
    return clip(x, Math.max(low, -largest), Math.min(high, largest))
  }
  const above = c.hasInput(1) ? max(x, c.input(1)) : x
  return c.hasInput(2) ? min(above, c.input(2)) : above
}

/** Elementwise ops with NumPy broadcasting. */
export const arithmeticRules = {
  Add: binary(add),
  Sub: binary(sub),
  Mul: binary(mul),
  Div: binary(div),
  Pow: { since: 11, gradient: true, build: power },
  Max: variadic(max),
  Min: variadic(min),
  Sum: variadic(add),
  Mean: {
    since: 11,
    gradient: true,
    build: (c) => {
      const inputs = allInputs(c)
      return mul(
        inputs.reduce((sum, input) => add(sum, input)),
        1 / inputs.length,
      )
    },
  },
  Clip: { since: 11, gradient: true, build: clipped },
  Abs: unary(abs),
  Neg: unary(neg),
  Exp: unary(exp),
  Log: unary(log),
  Sqrt: unary(sqrt),
  Reciprocal: unary(reciprocal),
  Erf: unary(erf),
  Sin: unary(sin),
  Cos: unary(cos),
  Sign: unary(sign, false),
  Floor: unary(floor, false),
  Ceil: unary(ceil, false),
  Round: unary(round, false),
  Equal: binary(equal, false),
  Greater: binary(greater, false),
  GreaterOrEqual: { ...binary(greaterOrEqual, false), since: 12 },
  Less: binary(less, false),
  LessOrEqual: { ...binary((a, b) => greaterOrEqual(b, a), false), since: 12 },
  IsNaN: unary((x) => not(equal(x, x)), false),
  Not: unary(not, false),
  And: binary(and, false),
  Or: binary(or, false),
  Xor: binary(xor, false),
  Where: { since: 11, gradient: true, build: (c) => where(c.input(0), c.input(1), c.input(2)) },
} as const satisfies Readonly<Record<string, ImportRule>>
