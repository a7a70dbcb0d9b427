import { convShape, matMul } from "./product.ts"
import { at, axis, expectDtype, expectShape, type ShapeRules } from "./rule.ts"

export const quantizedShapes = {
  QuantizeLinear: (inputs) => {
    const x = at(inputs, 0)
    expectDtype(x, "float32")
    return [{ dtype: "uint8", shape: x.shape }]
  },
  DequantizeLinear: (inputs) => {
    const x = at(inputs, 0)
    expectDtype(x, "uint8")
    return [{ dtype: "float32", shape: x.shape }]
  },
  QLinearConv: (inputs, attributes) => {
    const [x, weight, scales, bias] = [at(inputs, 0), at(inputs, 1), at(inputs, 2), at(inputs, 3)]
    expectDtype(x, "uint8")
    expectDtype(weight, "int8")
    expectDtype(scales, "float32")
    expectDtype(bias, "int32")
    for (const perChannel of [scales, bias]) expectShape(perChannel, [axis(weight.shape, 0)])
    return [{ dtype: "uint8", shape: convShape(x, weight, attributes) }]
  },
  QLinearAdd: (inputs) => {
    const [a, b] = [at(inputs, 0), at(inputs, 1)]
    expectDtype(a, "uint8")
    expectDtype(b, "uint8")
    expectShape(b, a.shape)
    return [a]
  },
  MatMulIntegerToFloat: (inputs) => {
    const [x, weight, scales] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)]
    expectDtype(x, "uint8")
    expectDtype(weight, "int8")
    expectDtype(scales, "float32")
    expectShape(scales, [axis(weight.shape, 1)])
    return matMul(inputs).map(({ shape }) => ({ dtype: "float32", shape }))
  },
} as const satisfies ShapeRules
