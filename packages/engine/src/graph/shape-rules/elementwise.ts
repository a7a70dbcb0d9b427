import { at, broadcastShapes, expectDtype, Mismatch, type ShapeRules, type TypedShape, unary, written } from "./rule.ts"

function binary(inputs: readonly TypedShape[]): readonly TypedShape[] {
  const [a, b] = [at(inputs, 0), at(inputs, 1)]
  expectDtype(b, a.dtype)
  return [{ dtype: a.dtype, shape: broadcastShapes(a.shape, b.shape) }]
}

const comparison = (inputs: readonly TypedShape[]): readonly TypedShape[] =>
  binary(inputs).map(({ shape }) => ({ dtype: "bool", shape }))

const logical = (inputs: readonly TypedShape[]): readonly TypedShape[] => {
  for (const input of inputs) expectDtype(input, "bool")
  return binary(inputs)
}

export const elementwiseShapes = {
  Add: binary,
  Sub: binary,
  Mul: binary,
  Div: binary,
  Pow: binary,
  Max: binary,
  Min: binary,
  Neg: unary,
  Abs: unary,
  Sign: unary,
  Exp: unary,
  Log: unary,
  Sqrt: unary,
  Reciprocal: unary,
  Sin: unary,
  Cos: unary,
  Sigmoid: unary,
  Tanh: unary,
  Erf: unary,
  Softplus: unary,
  Floor: unary,
  Ceil: unary,
  Round: unary,
  Relu: unary,
  Gelu: unary,
  LeakyRelu: unary,
  Elu: unary,
  Clip: (inputs, { low, high }) => {
    expectDtype(at(inputs, 0), "float32")
    if (!(low <= high)) throw new Mismatch("a low bound of at most the high one", `${low} and ${high}`)
    return unary(inputs)
  },
  HardSigmoid: unary,
  Identity: unary,
  Greater: comparison,
  GreaterOrEqual: comparison,
  Less: comparison,
  Equal: comparison,
  Not: (inputs) => {
    expectDtype(at(inputs, 0), "bool")
    return unary(inputs)
  },
  And: logical,
  Or: logical,
  Xor: logical,
  Where: (inputs) => {
    expectDtype(at(inputs, 0), "bool")
    const [chosen] = binary([at(inputs, 1), at(inputs, 2)]) as [TypedShape]
    return [{ dtype: chosen.dtype, shape: broadcastShapes(at(inputs, 0).shape, chosen.shape) }]
  },
  Cast: (inputs, { to }) => [{ dtype: to, shape: at(inputs, 0).shape }],
  StopGradient: unary,
  ScaleGradient: unary,
  ChannelBlend: (inputs) => {
    const [u, a, v, b, c] = [0, 1, 2, 3, 4].map((position) => at(inputs, position)) as [TypedShape, ...TypedShape[]]
    for (const each of inputs) expectDtype(each, "float32")
    const channels = written(u.shape.slice(1, 2))
    if (
      written((v as TypedShape).shape) !== written(u.shape) ||
      [a, b, c].some((each) => written(each?.shape ?? []) !== channels)
    ) {
      throw new Mismatch(
        "two tensors of one shape and three vectors as long as their second axis",
        inputs.map(({ shape }) => written(shape)).join(", "),
      )
    }
    return [{ dtype: "float32", shape: u.shape }]
  },
} as const satisfies ShapeRules
