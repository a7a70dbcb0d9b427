import { sizeOf, type Tensor } from "../../../graph/tensor.ts"
import type { FoldRule, NodeView } from "../rule.ts"
import { axesIn, axisIn, exportAgain } from "../rules/axes.ts"
import { attributeOrInput, filled, needed, offsetsOf, stridesOf, wholeNumbers } from "./numbers.ts"

interface Reduction {
  readonly float: (a: number, b: number) => number
  readonly int: (a: bigint, b: bigint) => bigint
  /** What no numbers at all give; refused where it is left out. */
  readonly empty?: number
  /** Divides by the number of elements that were joined. */
  readonly isMean?: boolean
}

/** Axes became an input in opset 13 for `ReduceSum` and in 18 for all others; none are all axes. */
const reduced =
  ({ float, int, empty, isMean = false }: Reduction, inputSince = 18): FoldRule =>
  (inputs, view) => {
    const x = needed(view, inputs, 0)
    const named = axesIn(view, attributeOrInput(view, inputs, "axes", inputSince) ?? [], x.shape.length)
    if (named.length === 0 && view.opset >= inputSince && view.int("noop_with_empty_axes", 0) !== 0) return [x]
    const axes = named.length === 0 ? x.shape.map((_, axis) => axis) : named
    const kept = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
    const shape = view.int("keepdims", 1) !== 0 ? kept : kept.filter((_, axis) => !axes.includes(axis))
    const strides = stridesOf(kept)
    const owners = offsetsOf(view, x.shape, (axis, coordinate) =>
      axes.includes(axis) ? 0 : coordinate * (strides[axis] as number),
    )
    const joined: (number | bigint | undefined)[] = Array.from({ length: sizeOf(kept) })
    const numbers = numbersOf(view, x)
    for (const [position, owner] of owners.entries()) {
      const [number, other] = [numbers[position] as number | bigint, joined[owner]]
      if (other === undefined) joined[owner] = number
      else joined[owner] = typeof number === "bigint" ? int(other as bigint, number) : float(other as number, number)
    }
    const count = sizeOf(x.shape) / sizeOf(kept)
    return [
      filled(view, x.dtype, shape, (position) => {
        const number = joined[position] ?? empty ?? view.fail("at least one number to reduce", "none")
        if (!isMean) return number
        return typeof number === "bigint" ? number / BigInt(count) : number / count
      }),
    ]
  }

function numbersOf(view: NodeView, x: Tensor): Float32Array | BigInt64Array {
  return x.dtype === "float32" || x.dtype === "int64" ? x.data : view.fail("numbers", x.dtype, exportAgain)
}

/** Running sums along an axis, with or without the number itself, from either end. */
const runningSum: FoldRule = (inputs, view) => {
  const x = needed(view, inputs, 0)
  const axis = axisIn(
    view,
    wholeNumbers(view, inputs[1])?.[0] ?? view.fail("an axis", "none", exportAgain),
    x.shape.length,
  )
  const numbers = numbersOf(view, x)
  const [isExclusive, isReverse] = [view.int("exclusive", 0) !== 0, view.int("reverse", 0) !== 0]
  const [length, inner] = [x.shape[axis] as number, stridesOf(x.shape)[axis] as number]
  const sums: (number | bigint)[] = Array.from(numbers as ArrayLike<number | bigint>)
  for (let line = 0; line < sums.length / length; line++) {
    const start = Math.floor(line / inner) * inner * length + (line % inner)
    let total: number | bigint = x.dtype === "int64" ? 0n : 0
    for (let step = 0; step < length; step++) {
      const at = start + (isReverse ? length - 1 - step : step) * inner
      // Both are of one type, which the addition cannot see.
      const next: number | bigint = (total as number) + (numbers[at] as number)
      sums[at] = isExclusive ? total : next
      total = next
    }
  }
  return [filled(view, x.dtype, x.shape, (position) => sums[position] as number | bigint)]
}

const total = { float: (a: number, b: number) => a + b, int: (a: bigint, b: bigint) => a + b }

export const reductionFolds = {
  ReduceSum: reduced({ ...total, empty: 0 }, 13),
  ReduceProd: reduced({ float: (a, b) => a * b, int: (a, b) => BigInt.asIntN(64, a * b), empty: 1 }),
  ReduceMin: reduced({ float: Math.min, int: (a, b) => (a < b ? a : b) }),
  ReduceMax: reduced({ float: Math.max, int: (a, b) => (a > b ? a : b) }),
  ReduceMean: reduced({ ...total, isMean: true }),
  CumSum: runningSum,
} as const satisfies Readonly<Record<string, FoldRule>>
