import { add, gemm, matMul, mul, reshape } from "../../../graph/build.ts"
import type { Value } from "../../../graph/graph.ts"
import type { ImportContext, ImportRule } from "../rule.ts"
import { broadcast, exportAgain } from "./axes.ts"

/** A vector on the left is a row, on the right a column; the axis it was given is dropped again. */
function product(c: ImportContext): Value {
  const [a, b] = [c.input(0), c.input(1)]
  const [isRow, isColumn] = [a.shape.length === 1, b.shape.length === 1]
  const y = matMul(
    isRow ? reshape(a, [1, a.shape[0] as number]) : a,
    isColumn ? reshape(b, [b.shape[0] as number, 1]) : b,
  )
  const batch = y.shape.slice(0, -2)
  return reshape(y, [...batch, ...(isRow ? [] : y.shape.slice(-2, -1)), ...(isColumn ? [] : y.shape.slice(-1))])
}

function generalProduct(c: ImportContext): Value {
  const [transA, transB] = [c.int("transA", 0) !== 0, c.int("transB", 0) !== 0]
  const y = gemm(c.input(0), c.input(1), { transA, transB, alpha: c.float("alpha", 1) })
  const beta = c.float("beta", 1)
  if (!c.hasInput(2) || beta === 0) return y
  const shift = c.input(2)
  if (broadcast(c, y.shape, shift.shape).join() !== y.shape.join()) {
    return c.fail(`a C that broadcasts to [${y.shape.join(", ")}]`, `[${shift.shape.join(", ")}]`, exportAgain)
  }
  return add(y, beta === 1 ? shift : mul(shift, beta))
}

export const productRules = {
  MatMul: { since: 11, gradient: true, build: product },
  Gemm: { since: 11, gradient: true, build: generalProduct },
} as const satisfies Readonly<Record<string, ImportRule>>
