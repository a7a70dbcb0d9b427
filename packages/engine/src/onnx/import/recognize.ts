import { fusedMatMul, gelu, layerNormalization } from "../../graph/build.ts"
import type { Node, Value } from "../../graph/graph.ts"
import type { OpType } from "../../graph/ops.ts"
import { isSameShape, sizeOf } from "../../graph/tensor.ts"

/**
 * Puts together again what exporters take apart because their operator set has no op for it: GELU, layer normalisation,
 * and products of stacks whose factors are scaled or swapped first. One op reads and writes the large tensors once,
 * and its gradient is written for it.
 *
 * @param value what a node of a file was written as
 * @returns the same numbers from fewer ops, or the value itself
 */
export function recognized(value: Value): Value {
  switch (value.graph.producerOf(value)?.op) {
    case "Mul":
      return asGelu(value) ?? asScaledProduct(value) ?? value
    case "Div":
      return asScaledProduct(value) ?? value
    case "MatMul":
      return asFusedProduct(value) ?? value
    case "Add":
      return asLayerNormalization(value) ?? value
    default:
      return value
  }
}

/** Constants of files are float32. */
const tolerance = 1e-6

function isNumber(value: Value | undefined, wanted: number): boolean {
  const number = value === undefined ? undefined : numberOf(value)
  return number !== undefined && Math.abs(number - wanted) <= tolerance * Math.abs(wanted)
}

/** The only number of a constant; undefined for anything else. */
function numberOf(value: Value): number | undefined {
  const tensor = value.graph.constants.get(value)
  return tensor?.dtype === "float32" && sizeOf(tensor.shape) === 1 ? tensor.data[0] : undefined
}

/** The node of that op that gives a value; undefined where another op does. */
function made<K extends OpType>(value: Value | undefined, op: K): Node<K> | undefined {
  const node = value?.graph.producerOf(value)
  return node?.op === op ? (node as Node as Node<K>) : undefined
}

/** Both orders of a node's two inputs. */
function bothWays({ inputs }: Node<"Add"> | Node<"Mul">): readonly (readonly [Value, Value])[] {
  const [a, b] = inputs as [Value, Value]
  return [
    [a, b],
    [b, a],
  ]
}

/** A value and the number that it is multiplied by. */
interface Scaled {
  readonly value: Value
  readonly factor: number
}

/** A product or quotient of a value and a constant number; undefined for anything else. */
function asScaled(value: Value): Scaled | undefined {
  const product = made(value, "Mul")
  const ways = product === undefined ? [] : bothWays(product)
  const quotient = made(value, "Div")
  const [dividend, divisor] = quotient?.inputs ?? []
  const found = [
    ...ways.map(([scaled, constant]) => ({ value: scaled, factor: numberOf(constant) })),
    ...(dividend === undefined ? [] : [{ value: dividend, factor: inverse(numberOf(divisor as Value)) }]),
  ].find((each): each is Scaled => each.factor !== undefined)
  return found !== undefined && isSameShape(found.value.shape, value.shape) ? found : undefined
}

function inverse(number: number | undefined): number | undefined {
  return number === undefined || number === 0 ? undefined : 1 / number
}

/** x (1 + erf(x / sqrt(2))) / 2, its factors in any order. */
function asGelu(y: Value): Value | undefined {
  const bend = factorsOf(y, []).find((factor) => erfArgument(factor) !== undefined)
  const scaled = bend === undefined ? undefined : asScaled(erfArgument(bend) as Value)
  if (bend === undefined || scaled === undefined || Math.abs(scaled.factor - Math.SQRT1_2) > tolerance) return undefined
  const x = scaled.value
  const others = factorsOf(y, [x, bend]).filter((factor) => factor !== bend)
  const numbers = others.filter((factor) => factor !== x).map(numberOf)
  if (others.length !== numbers.length + 1 || numbers.includes(undefined)) return undefined
  const factor = numbers.reduce((product: number, number) => product * (number as number), 1)
  return Math.abs(factor - 0.5) <= tolerance && isSameShape(x.shape, y.shape) ? gelu(x) : undefined
}

/** What is multiplied to give a value, down to those that are named. */
function factorsOf(value: Value, leaves: readonly Value[], depth = 3): readonly Value[] {
  const product = leaves.includes(value) || depth === 0 ? undefined : made(value, "Mul")
  return product === undefined ? [value] : product.inputs.flatMap((input) => factorsOf(input, leaves, depth - 1))
}

/** The argument of 1 + erf(..). */
function erfArgument(value: Value): Value | undefined {
  const sum = made(value, "Add")
  if (sum === undefined) return undefined
  const bend = bothWays(sum).find(([, one]) => isNumber(one, 1))?.[0]
  return made(bend, "Erf")?.inputs[0]
}

/** (x - mean) / sqrt(variance + epsilon) scale + bias over the last axes, as exporters wrote it before opset 17. */
function asLayerNormalization(y: Value): Value | undefined {
  for (const [product, bias] of bothWays(made(y, "Add") as Node<"Add">)) {
    const multiplied = made(product, "Mul")
    for (const [normalized, scale] of multiplied === undefined ? [] : bothWays(multiplied)) {
      const norm = normalizedRows(normalized)
      if (norm === undefined) continue
      const width = norm.x.shape.slice(norm.axis)
      if (isSameShape(scale.shape, width) && isSameShape(bias.shape, width))
        return layerNormalization(norm.x, scale, bias, norm.axis, norm.epsilon)
    }
  }
  return undefined
}

function normalizedRows(value: Value): { x: Value; axis: number; epsilon: number } | undefined {
  const [centred, deviation] = made(value, "Div")?.inputs ?? []
  const sum = made(made(deviation, "Sqrt")?.inputs[0], "Add")
  const [variance, constant] =
    sum === undefined ? [] : (bothWays(sum).find(([, one]) => numberOf(one) !== undefined) ?? [])
  const square = made(meanOf(variance)?.of, "Mul")
  if (centred === undefined || !square?.inputs.every((factor) => factor === centred)) return undefined
  const [x, mean] = made(centred, "Sub")?.inputs ?? []
  const axis = meanOf(mean)?.axis
  if (x === undefined || meanOf(mean)?.of !== x || axis === undefined || meanOf(variance)?.axis !== axis)
    return undefined
  return { x, axis, epsilon: numberOf(constant as Value) as number }
}

/** An average over the last axes, from `axis` on, that keeps them; undefined for any other value. */
function meanOf(value: Value | undefined): { readonly of: Value; readonly axis: number } | undefined {
  const node = made(value, "ReduceMean")
  const [of] = node?.inputs ?? []
  if (node === undefined || of === undefined || !node.attributes.keepdims) return undefined
  const axes = node.attributes.axes.toSorted((a, b) => a - b)
  const axis = of.shape.length - axes.length
  return axes.every((each, index) => each === axis + index) ? { of, axis } : undefined
}

/** A product of stacks whose factors are scaled by a number, or have their last two axes swapped, first. */
function asFusedProduct(y: Value): Value | undefined {
  const [a, b] = (made(y, "MatMul") as Node<"MatMul">).inputs as [Value, Value]
  // A matrix for all rows is a layer's weight: ONNX Runtime reads that in place, and adds its bias.
  if (b.shape.length < 3 || a.shape.length < 3) return undefined
  const [left, right] = [asFactor(a), asFactor(b)]
  if (left.value === a && right.value === b) return undefined
  const alpha = left.factor * right.factor
  return fusedMatMul(left.value, right.value, { transA: left.isSwapped, transB: right.isSwapped, alpha })
}

interface Factor extends Scaled {
  readonly isSwapped: boolean
}

function asFactor(value: Value): Factor {
  const scaled = asScaled(value)
  if (scaled !== undefined) {
    const inner = asFactor(scaled.value)
    return { ...inner, factor: inner.factor * scaled.factor }
  }
  const moved = made(value, "Transpose")
  if (moved !== undefined && isSwap(moved.attributes.perm)) {
    const inner = asFactor(moved.inputs[0] as Value)
    return { ...inner, isSwapped: !inner.isSwapped }
  }
  return { value, factor: 1, isSwapped: false }
}

function isSwap(perm: readonly number[]): boolean {
  const last = perm.length - 1
  return perm.every((axis, index) => axis === (index === last ? last - 1 : index === last - 1 ? last : index))
}

/** A number times a product of stacks. */
function asScaledProduct(y: Value): Value | undefined {
  const scaled = asScaled(y)
  const fused = made(scaled?.value, "FusedMatMul")
  const [a, b] = fused?.inputs ?? made(scaled?.value, "MatMul")?.inputs ?? []
  if (scaled === undefined || a === undefined || b === undefined || b.shape.length < 3 || a.shape.length < 3)
    return undefined
  const { transA, transB, alpha } = fused?.attributes ?? { transA: false, transB: false, alpha: 1 }
  return fusedMatMul(a, b, { transA, transB, alpha: alpha * scaled.factor })
}
