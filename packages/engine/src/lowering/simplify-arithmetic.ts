import type { Value } from "../graph/graph.ts"
import { broadcastShapes } from "../graph/shape-rules/rule.ts"
import { isSameShape } from "../graph/tensor.ts"
import type { Make, Simplification, Simplifications } from "./simplify.ts"
import { producedBy } from "./simplify-movement.ts"

type BinaryOp = "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Max" | "Min"

/** Whether a value is a constant of which every number is `number`, zeros with their sign. */
function isAll(value: Value, number: number): boolean {
  const tensor = value.graph.constants.get(value)
  // Of no numbers nothing is said: operands of length zero do not broadcast in ONNX Runtime as they do here.
  return tensor?.dtype === "float32" && tensor.data.length > 0 && tensor.data.every((each) => Object.is(each, number))
}

/** Operands before they were expanded to the shape of the result, as long as one of them has that shape. */
function unexpanded(inputs: readonly Value[], make: Make, op: BinaryOp): Value | undefined {
  const [a, b] = inputs as [Value, Value]
  const shape = broadcastShapes(a.shape, b.shape)
  for (const [index, operand] of inputs.entries()) {
    const expanded = producedBy(operand, "Expand")
    const other = inputs[1 - index] as Value
    if (expanded === undefined || !isSameShape(operand.shape, shape) || !isSameShape(other.shape, shape)) continue
    const small = expanded.inputs[0] as Value
    return make(op, index === 0 ? [small, other] : [other, small], {})
  }
  return undefined
}

/**
 * An operand that leaves the other as it is.
 *
 * @param neutral number that does so; a zero is added only as -0, since -0 + 0 is 0
 * @param sides operands that may be it
 */
const binary =
  (op: BinaryOp, neutral?: number, sides: readonly (0 | 1)[] = []): Simplification<BinaryOp> =>
  (inputs, _, make) => {
    const [a, b] = inputs as [Value, Value]
    const shape = broadcastShapes(a.shape, b.shape)
    for (const side of sides) {
      const other = inputs[1 - side] as Value
      if (neutral !== undefined && isSameShape(other.shape, shape) && isAll(inputs[side] as Value, neutral))
        return other
    }
    return unexpanded(inputs, make, op)
  }

const [add, sub] = [binary("Add", -0, [0, 1]), binary("Sub", 0, [1])]

export const arithmeticSimplifications = {
  Add(inputs, attributes, make) {
    const [a, b] = inputs as [Value, Value]
    const [negativeA, negativeB] = [producedBy(a, "Neg"), producedBy(b, "Neg")]
    if (negativeB !== undefined) return make("Sub", [a, negativeB.inputs[0] as Value], {})
    if (negativeA !== undefined) return make("Sub", [b, negativeA.inputs[0] as Value], {})
    return add(inputs, attributes, make)
  },
  Sub(inputs, attributes, make) {
    const negative = producedBy(inputs[1] as Value, "Neg")
    if (negative !== undefined) return make("Add", [inputs[0] as Value, negative.inputs[0] as Value], {})
    return sub(inputs, attributes, make)
  },
  Mul: binary("Mul", 1, [0, 1]),
  Div: binary("Div", 1, [1]),
  Pow: binary("Pow", 1, [1]),
  Max: binary("Max"),
  Min: binary("Min"),
  Neg: ([x]) => producedBy(x as Value, "Neg")?.inputs[0],
} as const satisfies Simplifications
