import type { DataType, Tensor } from "../../../graph/tensor.ts"
import type { FoldRule, NodeView } from "../rule.ts"
import { broadcast, exportAgain } from "../rules/axes.ts"
import { expanded, filled, type Inputs, needed } from "./numbers.ts"

/** A formula for floats and one for 64-bit integers; what is missing is refused. */
interface Formulas {
  readonly float?: (view: NodeView, a: number, b: number) => number
  readonly int?: (view: NodeView, a: bigint, b: bigint) => bigint
}

function sameType(view: NodeView, tensors: readonly Tensor[]): DataType {
  const [first, ...others] = tensors.map(({ dtype }) => dtype)
  if (first === undefined) return view.fail("at least one input", "none", exportAgain)
  return others.every((dtype) => dtype === first)
    ? first
    : view.fail("inputs of one type", [first, ...others].join(", "))
}

/** Computes elementwise, with NumPy broadcasting. */
function combined(view: NodeView, a: Tensor, b: Tensor, { float, int }: Formulas): Tensor {
  const dtype = sameType(view, [a, b])
  const shape = broadcast(view, a.shape, b.shape)
  const [left, right] = [expanded(view, a, shape), expanded(view, b, shape)]
  if (dtype === "float32" && float !== undefined) {
    return filled(view, dtype, shape, (at) => float(view, left.data[at] as number, right.data[at] as number))
  }
  if (dtype === "int64" && int !== undefined) {
    return filled(view, dtype, shape, (at) => int(view, left.data[at] as bigint, right.data[at] as bigint))
  }
  return view.fail("numbers of a type that the op takes", dtype, exportAgain)
}

const binary =
  (formulas: Formulas): FoldRule =>
  (inputs, view) => [combined(view, needed(view, inputs, 0), needed(view, inputs, 1), formulas)]

const unary =
  ({ float, int }: { readonly float?: (x: number) => number; readonly int?: (x: bigint) => bigint }): FoldRule =>
  (inputs, view) => {
    const x = needed(view, inputs, 0)
    if (x.dtype === "float32" && float !== undefined) {
      return [filled(view, x.dtype, x.shape, (at) => float(x.data[at] as number))]
    }
    if (x.dtype === "int64" && int !== undefined) {
      return [filled(view, x.dtype, x.shape, (at) => int(x.data[at] as bigint))]
    }
    return view.fail("numbers of a type that the op takes", x.dtype, exportAgain)
  }

const variadic =
  (formulas: Formulas): FoldRule =>
  (inputs, view) => {
    const others = inputs.slice(1).map((_, position) => needed(view, inputs, position + 1))
    return [others.reduce((joined, tensor) => combined(view, joined, tensor, formulas), needed(view, inputs, 0))]
  }

const comparison =
  (holds: (a: number | bigint, b: number | bigint) => boolean): FoldRule =>
  (inputs, view) => {
    const [a, b] = [needed(view, inputs, 0), needed(view, inputs, 1)]
    sameType(view, [a, b])
    const shape = broadcast(view, a.shape, b.shape)
    const [left, right] = [expanded(view, a, shape).data, expanded(view, b, shape).data]
    return [
      filled(view, "bool", shape, (at) => Number(holds(left[at] as number | bigint, right[at] as number | bigint))),
    ]
  }

const logical = (holds: (a: boolean, b: boolean) => boolean): FoldRule => {
  const compare = comparison((a, b) => holds(Boolean(a), Boolean(b)))
  return (inputs, view) => {
    const other = inputs.find((tensor) => tensor !== undefined && tensor.dtype !== "bool")
    return other === undefined ? compare(inputs, view) : view.fail("bool", other.dtype, exportAgain)
  }
}

function divided(view: NodeView, a: bigint, b: bigint): bigint {
  return b === 0n ? view.fail("a divisor other than zero", "0") : a / b
}

/** The sign follows the divisor; with `fmod` it follows the dividend, as in C. */
function remainder(view: NodeView, a: bigint, b: bigint): bigint {
  if (b === 0n) return view.fail("a divisor other than zero", "0")
  const rest = a % b
  return view.int("fmod", 0) === 0 && rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest
}

function roundedToEven(x: number): number {
  const low = Math.floor(x)
  if (x - low !== 0.5) return Math.round(x)
  return low % 2 === 0 ? low : low + 1
}

/** A power keeps the type of its base. */
function power(inputs: Inputs, view: NodeView): readonly Tensor[] {
  const [base, exponent] = [needed(view, inputs, 0), needed(view, inputs, 1)]
  const shape = broadcast(view, base.shape, exponent.shape)
  const [left, right] = [expanded(view, base, shape).data, expanded(view, exponent, shape).data]
  return [
    filled(view, base.dtype, shape, (at) => {
      const [a, b] = [left[at] as number | bigint, right[at] as number | bigint]
      if (typeof a === "number") return Number(a) ** Number(b)
      // Larger exponents leave 64 bits for every base but -1, 0 and 1, and take memory without bound.
      if (typeof b !== "bigint" || b < 0n || b > 64n) return view.fail("a whole exponent from 0 to 64", String(b))
      return BigInt.asIntN(64, a ** b)
    }),
  ]
}

function chosen(inputs: Inputs, view: NodeView): readonly Tensor[] {
  const [condition, a, b] = [needed(view, inputs, 0), needed(view, inputs, 1), needed(view, inputs, 2)]
  if (condition.dtype !== "bool") return view.fail("a bool condition", condition.dtype, exportAgain)
  const shape = broadcast(view, condition.shape, broadcast(view, a.shape, b.shape))
  const [isFirst, left, right] = [condition, a, b].map((tensor) => expanded(view, tensor, shape).data)
  return [
    filled(view, sameType(view, [a, b]), shape, (at) => (isFirst?.[at] === 0 ? right : left)?.[at] as number | bigint),
  ]
}

const larger = <T extends number | bigint>(a: T, b: T): T => (a > b || Number.isNaN(a) ? a : b)
const smaller = <T extends number | bigint>(a: T, b: T): T => (a < b || Number.isNaN(a) ? a : b)
const sum: Formulas = { float: (_, a, b) => a + b, int: (_, a, b) => a + b }

const mean: FoldRule = (inputs, view) =>
  variadic({ float: (_, a, b) => a + b })(inputs, view).map((total) =>
    total.dtype === "float32"
      ? filled(view, total.dtype, total.shape, (at) => (total.data[at] as number) / inputs.length)
      : view.fail("float numbers", total.dtype, exportAgain),
  )

/** Elementwise arithmetic on numbers. Integers are 64 bits wide, and dividing them truncates towards zero. */
export const arithmeticFolds = {
  Add: binary(sum),
  Sub: binary({ float: (_, a, b) => a - b, int: (_, a, b) => a - b }),
  Mul: binary({ float: (_, a, b) => a * b, int: (_, a, b) => a * b }),
  Div: binary({ float: (_, a, b) => a / b, int: divided }),
  Mod: binary({ float: (_, a, b) => a % b, int: remainder }),
  Pow: power,
  Min: variadic({ float: (_, a, b) => smaller(a, b), int: (_, a, b) => smaller(a, b) }),
  Max: variadic({ float: (_, a, b) => larger(a, b), int: (_, a, b) => larger(a, b) }),
  Sum: variadic(sum),
  Mean: mean,
  Neg: unary({ float: (x) => -x, int: (x) => -x }),
  Abs: unary({ float: Math.abs, int: (x) => (x < 0n ? -x : x) }),
  Sign: unary({ float: Math.sign, int: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n) }),
  Floor: unary({ float: Math.floor }),
  Ceil: unary({ float: Math.ceil }),
  Round: unary({ float: roundedToEven }),
  Sqrt: unary({ float: Math.sqrt }),
  Reciprocal: unary({ float: (x) => 1 / x }),
  Exp: unary({ float: Math.exp }),
  Log: unary({ float: Math.log }),
  Sin: unary({ float: Math.sin }),
  Cos: unary({ float: Math.cos }),
  Equal: comparison((a, b) => a === b),
  Greater: comparison((a, b) => a > b),
  GreaterOrEqual: comparison((a, b) => a >= b),
  Less: comparison((a, b) => a < b),
  LessOrEqual: comparison((a, b) => a <= b),
  And: logical((a, b) => a && b),
  Or: logical((a, b) => a || b),
  Xor: logical((a, b) => a !== b),
  Not: (inputs, view) => {
    const x = needed(view, inputs, 0)
    if (x.dtype !== "bool") return view.fail("bool", x.dtype, exportAgain)
    return [filled(view, "bool", x.shape, (at) => (x.data[at] === 0 ? 1 : 0))]
  },
  IsNaN: (inputs, view) => {
    const x = needed(view, inputs, 0)
    return [filled(view, "bool", x.shape, (at) => Number(Number.isNaN(x.data[at])))]
  },
  Where: chosen,
} as const satisfies Readonly<Record<string, FoldRule>>
