import { add, expand, matMul, reshape, resize, transpose } from "../../../graph/build.ts"
import type { Value } from "../../../graph/graph.ts"
import { floatTensor } from "../../../graph/tensor.ts"
import type { ImportContext, ImportRule } from "../rule.ts"
import { axesIn, exportAgain, madeShape } from "./axes.ts"
import { constantTensor } from "./constants.ts"
import { interpolation, type ResizedAxis, type Shares } from "./interpolation.ts"
import { takeSteps } from "./layout.ts"

/** What the new positions along an axis are made of. */
interface AxisShares {
  readonly axis: number
  readonly shares: Shares
}

/** Positions along all axes are worked out one by one while importing; a damaged file must not make that last. */
const mostPositions = 2 ** 20

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
  if (x.shape.length === 4 && axis >= 2) return resize(x, axis === 2 ? [times, 1] : [1, times])
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

function resizedAlong(c: ImportContext, x: Value, axis: number, shares: Shares): Value {
  const positions = positionsOf(shares)
  const [from, to] = [x.shape[axis] as number, shares.length]
  if (positions?.every((position, index) => position === Math.floor((index * from) / to)) && to % from === 0) {
    return repeated(x, axis, to / from)
  }
  const [first = 0, second = first + 1] = positions ?? []
  const isEven = positions?.every((position, index) => position === first + index * (second - first)) ?? false
  return isEven && second > first ? takeSteps(x, axis, first, second - first, to) : weighted(c, x, axis, shares)
}

/** The axes with the part that is read of each; starts stand before ends in the second input. */
function croppedAxes(c: ImportContext, axes: readonly ResizedAxis[]): readonly ResizedAxis[] {
  if (c.string("coordinate_transformation_mode", "half_pixel") !== "tf_crop_and_resize") return axes
  const regions = c.constantFloats(1) ?? []
  if (regions.length !== 2 * axes.length || !regions.every(Number.isFinite)) {
    return c.fail(`a start and an end for ${axes.length} axes`, `[${regions.join(", ")}]`, exportAgain)
  }
  return axes.map((each, index) => {
    return { ...each, crop: [regions[index] as number, regions[index + axes.length] as number] }
  })
}

/** Puts a number wherever a position lies outside along any axis; the product left zeros there. */
function filledOutside(c: ImportContext, y: Value, along: readonly AxisShares[]): Value {
  const filling = c.float("extrapolation_value", 0)
  const outside = along.map(({ axis, shares }) => ({ axis, is: shares.map((parts) => parts.length === 0) }))
  if (filling === 0 || !outside.some(({ is }) => is.includes(true))) return y
  const shape = y.shape.map((length, axis) => (along.some((each) => each.axis === axis) ? length : 1))
  const numbers = constantTensor(c, "float32", shape, (at) =>
    outside.some(({ axis, is }) => is[at[axis] as number]) ? filling : 0,
  )
  return add(y, numbers)
}

/** Interpolation separates into its axes; those that shrink come first, which leaves less to do. */
function interpolated(c: ImportContext): Value {
  const x = c.input(0)
  if (x.dtype !== "float32") return c.fail("float32", x.dtype)
  const isWidened = c.int("antialias", 0) !== 0
  const resized = croppedAxes(c, resizedAxes(c, x))
    // ONNX Runtime leaves such axes as they are, cropped ones among them.
    .filter(({ to, from, scale }) => to !== from || (scale !== 1 && !isWidened))
    .toSorted((a, b) => a.to / a.from - b.to / b.from)
  const positions = resized.reduce((sum, { to }) => sum + to, 0)
  if (positions > mostPositions) return c.fail(`at most ${mostPositions} positions`, String(positions), exportAgain)
  const along = resized.map((each): AxisShares => {
    if (each.to < 1) return c.fail("at least one position", `${each.to} along axis ${each.axis}`, exportAgain)
    return { axis: each.axis, shares: interpolation(c, each) }
  })
  const y = along.reduce((part, { axis, shares }) => resizedAlong(c, part, axis, shares), x)
  return c.string("coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize"
    ? filledOutside(c, y, along)
    : y
}

export const resizeRules = {
  Resize: { since: 11, gradient: true, build: interpolated },
} as const satisfies Readonly<Record<string, ImportRule>>
