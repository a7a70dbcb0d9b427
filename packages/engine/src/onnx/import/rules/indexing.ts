import {
  add,
  cast,
  concat,
  gather,
  gatherElements,
  gatherND,
  mul,
  oneHot,
  reshape,
  scatterElements,
  scatterND,
  sub,
  transpose,
} from "../../../graph/build.ts"
import type { Value } from "../../../graph/graph.ts"
import type { ScatterReduction } from "../../../graph/ops.ts"
import { intTensor, isSameShape } from "../../../graph/tensor.ts"
import type { ImportContext, ImportRule } from "../rule.ts"
import { axisIn, exportAgain, indicesIn } from "./axes.ts"
import { constantTensor } from "./constants.ts"
import { takeSteps } from "./layout.ts"

/** Input 1 with fixed positions counted from the front; positions that depend on data stay as they are. */
function positionsAlong(c: ImportContext, length: number): Value {
  const fixed = c.constant(1)
  if (fixed === undefined) return c.input(1)
  return c.graph.constant(intTensor(fixed.shape, indicesIn(c, c.constantInts(1) ?? [], length)))
}

/** Fixed positions that lie evenly apart are a slice, which needs no search in either direction. */
function gathered(c: ImportContext): Value {
  const data = c.input(0)
  const axis = axisIn(c, c.int("axis", 0), data.shape.length)
  const length = data.shape[axis] as number
  const fixed = c.constant(1)
  const list = fixed === undefined ? undefined : indicesIn(c, c.constantInts(1) ?? [], length)
  const step = (list?.[1] ?? 0) - (list?.[0] ?? 0)
  const isEven = list?.every((position, index) => position === (list[0] as number) + index * step) ?? false
  if (fixed === undefined || list === undefined || !isEven || list.length === 0 || (list.length > 1 && step === 0)) {
    return gather(data, positionsAlong(c, length), axis)
  }
  const part = takeSteps(data, axis, list[0] as number, list.length === 1 ? 1 : step, list.length)
  return reshape(part, [...data.shape.slice(0, axis), ...fixed.shape, ...data.shape.slice(axis + 1)])
}

/** With batch axes, each position gets its own batch coordinates in front and runs over the whole of `data`. */
function gatheredParts(c: ImportContext): Value {
  const [data, indices] = [c.input(0), c.input(1)]
  const count = c.int("batch_dims", 0)
  if (count === 0) return gatherND(data, indices)
  const rank = indices.shape.length
  if (count < 0 || count >= Math.min(rank, data.shape.length)) {
    return c.fail(`fewer than ${Math.min(rank, data.shape.length)} batch_dims`, String(count), exportAgain)
  }
  if (!isSameShape(data.shape.slice(0, count), indices.shape.slice(0, count))) {
    return c.fail(
      `${count} equal batch_dims`,
      `[${data.shape.join(", ")}] and [${indices.shape.join(", ")}]`,
      exportAgain,
    )
  }
  const batch = constantTensor(
    c,
    "int64",
    [...indices.shape.slice(0, -1), count],
    (coordinates) => coordinates[coordinates[rank - 1] as number] as number,
  )
  return gatherND(data, concat([batch, indices], rank - 1))
}

function reductionOf(c: ImportContext): ScatterReduction {
  const reduction = c.string("reduction", "none")
  return reduction === "none" || reduction === "add" ? reduction : c.fail("reduction none or add", reduction)
}

/** Rows of `off` with `on` at each position; negative positions count from the end. */
function indicators(c: ImportContext): Value {
  const indices = cast(c.input(0), "int64")
  const depth = Number(c.constant(1)?.data[0] ?? c.fail("a depth that does not depend on data", "a computed one"))
  const values = c.input(2)
  if (!Number.isSafeInteger(depth) || depth < 1) return c.fail("a depth of one or more", String(depth), exportAgain)
  if (values.shape.join() !== "2") return c.fail("an off and an on value", `[${values.shape.join(", ")}]`, exportAgain)
  const [off, on] = [0, 1].map((at) => reshape(takeSteps(cast(values, "float32"), 0, at, 1, 1), [])) as [Value, Value]
  const rows = add(mul(oneHot(indices, depth), sub(on, off)), off)
  const rank = rows.shape.length
  const axis = axisIn(c, c.int("axis", -1), rank)
  const order = Array.from({ length: rank - 1 }, (_, index) => index).toSpliced(axis, 0, rank - 1)
  return cast(transpose(rows, order), values.dtype)
}

export const indexingRules = {
  Gather: { since: 11, gradient: true, build: gathered },
  GatherElements: {
    since: 11,
    gradient: true,
    build: (c) => {
      const data = c.input(0)
      const axis = axisIn(c, c.int("axis", 0), data.shape.length)
      return gatherElements(data, positionsAlong(c, data.shape[axis] as number), axis)
    },
  },
  GatherND: { since: 11, gradient: true, build: gatheredParts },
  ScatterElements: {
    since: 11,
    gradient: true,
    build: (c) => {
      const data = c.input(0)
      const axis = axisIn(c, c.int("axis", 0), data.shape.length)
      return scatterElements(data, positionsAlong(c, data.shape[axis] as number), c.input(2), axis, reductionOf(c))
    },
  },
  ScatterND: {
    since: 11,
    gradient: true,
    build: (c) => scatterND(c.input(0), c.input(1), c.input(2), reductionOf(c)),
  },
  OneHot: { since: 11, gradient: false, build: indicators },
} as const satisfies Readonly<Record<string, ImportRule>>
