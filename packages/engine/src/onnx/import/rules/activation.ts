import {
  abs,
  add,
  div,
  elu,
  gelu as exactGelu,
  hardSigmoid,
  leakyRelu,
  less,
  mul,
  relu,
  sigmoid,
  softplus,
  tanh,
  where,
} from "../../../graph/build.ts"
import type { Value } from "../../../graph/graph.ts"
import type { ImportContext, ImportRule } from "../rule.ts"
import { broadcast, exportAgain } from "./axes.ts"

const rule = (build: (x: Value, c: ImportContext) => Value, since = 11): ImportRule => ({
  since,
  gradient: true,
  build: (c) => build(c.input(0), c),
})

/** Gaussian error linear unit and its approximation by a tanh (Hendrycks & Gimpel 2016, section 2). */
function gelu(x: Value, c: ImportContext): Value {
  const approximate = c.string("approximate", "none")
  if (approximate === "none") return exactGelu(x)
  if (approximate !== "tanh") return c.fail("none or tanh", approximate, exportAgain)
  const bend = tanh(mul(add(x, mul(mul(mul(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI)))
  return mul(mul(x, 0.5), add(bend, 1))
}

/** The slope broadcasts to the shape of x, never the other way round. */
function parametricRelu(x: Value, c: ImportContext): Value {
  const slope = c.input(1)
  if (broadcast(c, x.shape, slope.shape).join() !== x.shape.join()) {
    return c.fail(`a slope that broadcasts to [${x.shape.join(", ")}]`, `[${slope.shape.join(", ")}]`, exportAgain)
  }
  return where(less(x, 0), mul(x, slope), x)
}

export const activationRules = {
  Relu: rule(relu),
  LeakyRelu: rule((x, c) => leakyRelu(x, c.float("alpha", 0.01))),
  PRelu: rule(parametricRelu),
  Elu: rule((x, c) => elu(x, c.float("alpha", 1))),
  Selu: rule((x, c) => {
    // The defaults are those of Klambauer et al. 2017, equation 14, in float32.
    const scale = c.float("gamma", 1.0507009873554805)
    return mul(elu(x, c.float("alpha", 1.6732632423543772)), scale)
  }),
  Celu: rule((x, c) => {
    const alpha = c.float("alpha", 1)
    if (!(alpha > 0)) return c.fail("an alpha above zero", String(alpha))
    return mul(elu(mul(x, 1 / alpha), 1), alpha)
  }, 12),
  Gelu: rule(gelu, 20),
  Sigmoid: rule(sigmoid),
  HardSigmoid: rule((x, c) => hardSigmoid(x, c.float("alpha", 0.2), c.float("beta", 0.5))),
  HardSwish: rule((x) => mul(x, hardSigmoid(x, 1 / 6, 0.5)), 14),
  Mish: rule((x) => mul(x, tanh(softplus(x))), 18),
  Softplus: rule(softplus),
  Softsign: rule((x) => div(x, add(abs(x), 1))),
  Tanh: rule(tanh),
} as const satisfies Readonly<Record<string, ImportRule>>
