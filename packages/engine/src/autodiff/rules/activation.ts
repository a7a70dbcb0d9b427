import { add, cast, erf, exp, greater, hardSigmoid, less, max, mul, sigmoid, sub, where } from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import type { OpType } from "../../graph/ops.ts"
import { type GradientRule, unary } from "../rule.ts"

/**
 * A slope that makes `HardSigmoid` a step from 0 to 1 for every float32 that is not denormal. It marks where a ReLU is
 * open in one pass; `Where(Greater(..))` takes four.
 */
const steepest = 3e38

/** One above zero, `below` elsewhere. */
function slopes(x: Value, below: number): Value {
  const isAbove = hardSigmoid(x, steepest, 0)
  return below >= 0 && below <= 1 ? max(isAbove, below) : add(mul(isAbove, 1 - below), below)
}

/**
 * One above a bound and zero at it (or, for `side` -1, below it), in one pass as well. A power of two as the slope keeps
 * slope * x - slope * bound exact, so that nothing but the bound itself gives zero.
 */
function isBeyond(x: Value, bound: number, side: 1 | -1): Value {
  const nearest = Math.fround(bound)
  const slope = side * 2 ** Math.min(127, 126 - Math.ceil(Math.log2(Math.abs(nearest))))
  return hardSigmoid(x, slope, -slope * nearest)
}

/** Past this no float32 lies: the bound bounds nothing. */
const largestFloat = 3.4028234663852886e38

const clipRule: GradientRule<"Clip"> = ({ node, outputGradient }) => {
  const y = node.outputs[0] as Value
  const { low, high } = node.attributes
  const aboveLow = low <= -largestFloat ? outputGradient() : mul(outputGradient(), isBeyond(y, low, 1))
  return [high >= largestFloat ? aboveLow : mul(aboveLow, isBeyond(y, high, -1))]
}

const eluRule: GradientRule<"Elu"> = ({ node, outputGradient }) => {
  const [x, y] = [node.inputs[0] as Value, node.outputs[0] as Value]
  return [mul(outputGradient(), where(greater(x, 0), 1, add(y, node.attributes.alpha)))]
}

/**
 * dy (P(x) + x p(x)) with the normal distribution's share P and density p. The density's factor stands inside the
 * exponential, and one `HardSigmoid` makes a share of the error function: each would be a pass more.
 */
function geluGradient(dy: Value, x: Value): Value {
  const scaled = mul(x, Math.SQRT1_2)
  const share = hardSigmoid(erf(scaled), 0.5, 0.5)
  const density = exp(sub(-0.5 * Math.log(2 * Math.PI), mul(scaled, scaled)))
  return mul(dy, add(share, mul(x, density)))
}

export const activationRules = {
  Relu: unary<"Relu">((dy, _, y) => mul(dy, hardSigmoid(y, steepest, 0))),
  Gelu: unary<"Gelu">(geluGradient),
  LeakyRelu: ({ node, outputGradient }) => [
    mul(outputGradient(), slopes(node.inputs[0] as Value, node.attributes.alpha)),
  ],
  Elu: eluRule,
  Clip: clipRule,
  HardSigmoid: ({ node, outputGradient }) => {
    const y = node.outputs[0] as Value
    const isBetween = mul(cast(greater(y, 0), "float32"), cast(less(y, 1), "float32"))
    return [mul(outputGradient(), mul(isBetween, node.attributes.alpha))]
  },
  Sigmoid: unary<"Sigmoid">((dy, _, y) => mul(dy, sub(y, mul(y, y)))),
  Tanh: unary<"Tanh">((dy, _, y) => mul(dy, sub(1, mul(y, y)))),
  /** 2 / sqrt(pi) exp(-x^2), with the factor inside the exponential */
  Erf: unary<"Erf">((dy, x) => mul(dy, exp(sub(Math.log(2 / Math.sqrt(Math.PI)), mul(x, x))))),
  Softplus: unary<"Softplus">((dy, x) => mul(dy, sigmoid(x))),
} as const satisfies { readonly [K in OpType]?: GradientRule<K> }
