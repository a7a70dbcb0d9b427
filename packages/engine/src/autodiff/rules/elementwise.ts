import { cast, cos, div, equal, log, mul, neg, pow, sign, sin, sub, where } from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import type { OpType } from "../../graph/ops.ts"
import { sizeOf } from "../../graph/tensor.ts"
import { type GradientRule, unary } from "../rule.ts"

/** A rule for y = f(a, b). */
const binary =
  <K extends OpType>(
    gradients: (dy: Value, a: Value, b: Value, y: Value) => readonly [Value, Value],
  ): GradientRule<K> =>
  ({ node, outputGradient }) =>
    gradients(outputGradient(), node.inputs[0] as Value, node.inputs[1] as Value, node.outputs[0] as Value)

/** The chosen operand takes the gradient; on a tie each takes half, as in PyTorch. */
const extremum = binary<"Max" | "Min">((dy, a, b, y) => {
  const share = where(equal(a, b), 0.5, 1)
  return [mul(dy, mul(cast(equal(a, y), "float32"), share)), mul(dy, mul(cast(equal(b, y), "float32"), share))]
})

/** The only number of a constant; undefined for anything else. */
function constantNumber(value: Value): number | undefined {
  const tensor = value.graph.constants.get(value)
  return tensor !== undefined && sizeOf(tensor.shape) === 1 ? Number(tensor.data[0]) : undefined
}

/**
 * b a^(b-1), free of NaN wherever a^b is: a power of zero is not taken where b is zero. The derivative by b, a^b log(a),
 * counts as zero for a = 0 and has no value for a below zero, as in PyTorch.
 */
function powerSlope(a: Value, b: Value): Value {
  const exponent = constantNumber(b)
  if (exponent === undefined) return where(equal(b, 0), 0, mul(b, pow(a, sub(b, 1))))
  if (exponent === 2) return mul(a, 2)
  return exponent === 0 ? mul(a, 0) : mul(pow(a, exponent - 1), exponent)
}

export const elementwiseRules = {
  Add: binary<"Add">((dy) => [dy, dy]),
  Sub: binary<"Sub">((dy) => [dy, neg(dy)]),
  Mul: binary<"Mul">((dy, a, b) => [mul(dy, b), mul(dy, a)]),
  Div: binary<"Div">((dy, _, b, y) => [div(dy, b), neg(div(mul(dy, y), b))]),
  Pow: binary<"Pow">((dy, a, b, y) => [mul(dy, powerSlope(a, b)), mul(dy, mul(y, log(where(equal(a, 0), 1, a))))]),
  Max: extremum as GradientRule<"Max">,
  Min: extremum as GradientRule<"Min">,
  Neg: unary<"Neg">((dy) => neg(dy)),
  Abs: unary<"Abs">((dy, x) => mul(dy, sign(x))),
  Sign: "none",
  Exp: unary<"Exp">((dy, _, y) => mul(dy, y)),
  Log: unary<"Log">((dy, x) => div(dy, x)),
  Sqrt: unary<"Sqrt">((dy, _, y) => div(mul(dy, 0.5), y)),
  Reciprocal: unary<"Reciprocal">((dy, _, y) => neg(mul(dy, mul(y, y)))),
  Sin: unary<"Sin">((dy, x) => mul(dy, cos(x))),
  Cos: unary<"Cos">((dy, x) => neg(mul(dy, sin(x)))),
  Floor: "none",
  Ceil: "none",
  Round: "none",
  Identity: unary<"Identity">((dy) => dy),
  Greater: "none",
  GreaterOrEqual: "none",
  Less: "none",
  Equal: "none",
  Not: "none",
  And: "none",
  Or: "none",
  Xor: "none",
  Where: ({ node, outputGradient }) => {
    const condition = node.inputs[0] as Value
    const dy = outputGradient()
    return [null, where(condition, dy, 0), where(condition, 0, dy)]
  },
  Cast: "none",
  StopGradient: "none",
  ChannelBlend: "none",
  ScaleGradient: ({ node, outputGradient }) => [mul(outputGradient(), node.inputs[1] as Value), null],
} as const satisfies { readonly [K in OpType]?: GradientRule<K> }
