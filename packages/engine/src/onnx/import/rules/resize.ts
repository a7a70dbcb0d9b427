import { expand, matMul, reshape, transpose } from "../../../graph/build.ts"
import type { Value } from "../../../graph/graph.ts"
import { floatTensor } from "../../../graph/tensor.ts"
import type { ImportContext, ImportRule } from "../rule.ts"
import { axesIn, exportAgain, madeShape } from "./axes.ts"
import { interpolation, type ResizedAxis, type Shares } from "./interpolation.ts"
import { takeSteps } from "./layout.ts"

/** Positions along an axis are worked out one by one while importing; a damaged file must not make that last. */
const longestAxis = 2 ** 20

/** Ratio and new length of each resized axis, from sizes or from scales. */
function resizedAxes(c: ImportContext, x: Value): readonly ResizedAxis[] {
  const named = c.ints("axes")
  const axes = named === undefined ? x.shape.map((_, axis) => axis) : axesIn(c, named, x.shape.length)
  const lengths = axes.map((axis) => x.shape[axis] as number)
  const [scales, sizes] = [c.constantFloats(2) ?? [], c.constantInts(3) ?? []]
  const given = sizes.length > 0 ? sizes : scales
  if (given.length !== axes.length || given.some((number) => !(number > 0) || !Number.isFinite(number))) {
    return c.fail(`scales or sizes above zero for ${axes.length} axes`, `[${given.join(", ")}]`, exportAgain)
  }
  if (sizes.length === 0) {
    return axes.map((axis, index) => {
      const [from, scale] = [lengths[index] as number, scales[index] as number]
      return { axis, from, to: Math.floor(Math.fround(scale * from)), scale }
    })
  }
  const ratios = sizes.map((size, index) => Math.fround(size / (lengths[index] as number)))
  const policy = c.string("keep_aspect_ratio_policy", "stretch")
  if (policy === "stretch") {
    return axes.map((axis, index) => {
      return { axis, from: lengths[index] as number, to: sizes[index] as number, scale: ratios[index] as number }
    })
  }
  if (policy !== "not_larger" && policy !== "not_smaller") {
    return c.fail("keep_aspect_ratio_policy stretch, not_larger or not_smaller", policy, exportAgain)
  }
  const scale = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios)
  return axes.map((axis, index) => {
    const from = lengths[index] as number
    return { axis, from, to: Math.round(Math.fround(scale * from)), scale }
  })
}

/** The old position of each new one, where each is exactly one of them. */
function positionsOf(shares: Shares): readonly number[] | undefined {
  const isOne = shares.every((parts) => parts.length === 1 && parts[0]?.share === 1)
  return isOne ? shares.map((parts) => parts[0]?.position as number) : undefined
}

/** Repeats every position along an axis a whole number of times. */
function repeated(x: Value, axis: number, times: number): Value {
  const [before, after] = [x.shape.slice(0, axis + 1), x.shape.slice(axis + 1)]
  const apart = expand(reshape(x, [...before, 1, ...after]), [...before, times, ...after])
  return reshape(apart, x.shape.with(axis, (x.shape[axis] as number) * times))
}

/** The product with a constant matrix [to, from] along one axis. */
function weighted(c: ImportContext, x: Value, axis: number, shares: Shares): Value {
  const [rank, from, to] = [x.shape.length, x.shape[axis] as number, shares.length]
  const isLast = axis === rank - 1
  madeShape(c, [to, from])
  const matrix = new Float32Array(to * from)
  for (const [row, parts] of shares.entries()) {
    for (const { position, share } of parts) {
      const at = isLast ? position * to + row : row * from + position
      matrix[at] = (matrix[at] as number) + share
    }
  }
  const weights = c.graph.constant(floatTensor(isLast ? [from, to] : [to, from], matrix), "interpolation")
  if (isLast) return matMul(x, weights)
  if (axis === rank - 2) return matMul(weights, x)
  const swapped = x.shape.map((_, index) => (index === axis ? rank - 2 : index === rank - 2 ? axis : index))
  return transpose(matMul(weights, transpose(x, swapped)), swapped)
}

function resizedAlong(c: ImportContext, x: Value, { axis, ...resized }: ResizedAxis): Value {
  const shares = interpolation(c, { axis, ...resized })
  const positions = positionsOf(shares)
  const [from, to] = [resized.from, shares.length]
  if (positions?.every((position, index) => position === Math.floor((index * from) / to)) && to % from === 0) {
    return repeated(x, axis, to / from)
  }
  const [first = 0, second = first + 1] = positions ?? []
  const isEven = positions?.every((position, index) => position === first + index * (second - first)) ?? false
  return isEven && second > first ? takeSteps(x, axis, first, second - first, to) : weighted(c, x, axis, shares)
}

/** Interpolation separates into its axes; those that shrink come first, which leaves less to do. */
function resize(c: ImportContext): Value {
  const x = c.input(0)
  if (x.dtype !== "float32") return c.fail("float32", x.dtype)
  return resizedAxes(c, x)
    .filter(({ to, from, scale }) => to !== from || scale !== 1)
    .toSorted((a, b) => a.to / a.from - b.to / b.from)
    .reduce((y, resized) => {
      if (resized.to > longestAxis) return c.fail(`at most ${longestAxis} positions`, String(resized.to), exportAgain)
      if (resized.to < 1)
        return c.fail("at least one position", `${resized.to} along axis ${resized.axis}`, exportAgain)
      return resizedAlong(c, y, resized)
    }, x)
}

export const resizeRules = {
  Resize: { since: 11, gradient: true, build: resize },
} as const satisfies Readonly<Record<string, ImportRule>>
