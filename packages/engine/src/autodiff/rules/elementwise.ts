import { cast, div, equal, greater, hardSigmoid, less, mul, neg, sign, where } from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import type { OpType } from "../../graph/ops.ts"
import type { GradientRule } from "../rule.ts"

/** A rule for y = f(x): the derivative from x and y. */
const unary =
  <K extends OpType>(gradient: (dy: Value, x: Value, y: Value) => Value): GradientRule<K> =>
  ({ node, outputGradient }) => [gradient(outputGradient(), node.inputs[0] as Value, node.outputs[0] as Value)]

/** A rule for y = f(a, b). */
const binary =
  <K extends OpType>(
    gradients: (dy: Value, a: Value, b: Value, y: Value) => readonly [Value, Value],
  ): GradientRule<K> =>
  ({ node, outputGradient }) =>
    gradients(outputGradient(), node.inputs[0] as Value, node.inputs[1] as Value, node.outputs[0] as Value)

/**
 * A slope that makes `HardSigmoid` a step from 0 to 1 for every float32 that is not denormal. It marks where a ReLU is
 * open in one pass; `Where(Greater(..))` takes four.
 */
const steepest = 3e38

/** The chosen operand takes the gradient; on a tie each takes half, as in PyTorch. */
const extremum = binary<"Max" | "Min">((dy, a, b, y) => {
  const share = where(equal(a, b), 0.5, 1)
  return [mul(dy, mul(cast(equal(a, y), "float32"), share)), mul(dy, mul(cast(equal(b, y), "float32"), share))]
})

export const elementwiseRules = {
  Add: binary<"Add">((dy) => [dy, dy]),
  Sub: binary<"Sub">((dy) => [dy, neg(dy)]),
  Mul: binary<"Mul">((dy, a, b) => [mul(dy, b), mul(dy, a)]),
  Div: binary<"Div">((dy, _, b, y) => [div(dy, b), neg(div(mul(dy, y), b))]),
  Max: extremum as GradientRule<"Max">,
  Min: extremum as GradientRule<"Min">,
  Neg: unary<"Neg">((dy) => neg(dy)),
  Abs: unary<"Abs">((dy, x) => mul(dy, sign(x))),
  Sign: "none",
  Exp: unary<"Exp">((dy, _, y) => mul(dy, y)),
  Log: unary<"Log">((dy, x) => div(dy, x)),
  Sqrt: unary<"Sqrt">((dy, _, y) => div(mul(dy, 0.5), y)),
  Reciprocal: unary<"Reciprocal">((dy, _, y) => neg(mul(dy, mul(y, y)))),
  Pow: "none",
  Sin: "none",
  Cos: "none",
  Sigmoid: "none",
  Tanh: "none",
  Erf: "none",
  Softplus: "none",
  Floor: "none",
  Ceil: "none",
  Round: "none",
  LeakyRelu: "none",
  Elu: "none",
  Clip: "none",
  Relu: unary<"Relu">((dy, _, y) => mul(dy, hardSigmoid(y, steepest, 0))),
  HardSigmoid: ({ node, outputGradient }) => {
    const y = node.outputs[0] as Value
    const isBetween = mul(cast(greater(y, 0), "float32"), cast(less(y, 1), "float32"))
    return [mul(outputGradient(), mul(isBetween, node.attributes.alpha))]
  },
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
  ScaleGradient: ({ node, outputGradient }) => [mul(outputGradient(), node.inputs[1] as Value), null],
} as const satisfies { readonly [K in OpType]?: GradientRule<K> }
