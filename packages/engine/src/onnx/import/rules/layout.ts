import { cast, concat, expand, mul, reshape, slice, split, transpose, where } from "../../../graph/build.ts"
import type { Value } from "../../../graph/graph.ts"
import type { DataType, Shape } from "../../../graph/tensor.ts"
import type { ImportContext, ImportRule, NodeView } from "../rule.ts"
import {
  attributeOrInput,
  axisIn,
  broadcast,
  exportAgain,
  flattenedTo,
  permutation,
  reshapedTo,
  slicedAxes,
  splitLengths,
  squeezedTo,
  unsqueezedTo,
} from "./axes.ts"
import { constantTensor } from "./constants.ts"

const rule = (build: ImportRule["build"], since = 11): ImportRule => ({ since, gradient: true, build })

/** Takes the positions of one axis that a `Slice` names; an axis that stays whole costs nothing. */
export function takeSteps(x: Value, axis: number, start: number, step: number, count: number): Value {
  if (step === 1 && start === 0 && count === x.shape[axis]) return x
  const last = start + step * count
  // Before the first position there is none to name; far from the end of the axis stands for it.
  return slice(x, axis, start, last < 0 ? -(2 ** 31) : last, step)
}

/** Repeats x along its axes: each axis is split in two, of which the outer one is expanded. */
function tile(c: ImportContext): Value {
  const x = c.input(0)
  const repeats = c.constantInts(1) ?? []
  if (repeats.length !== x.shape.length || repeats.some((count) => count < 1)) {
    return c.fail(`${x.shape.length} repeats of one or more`, `[${repeats.join(", ")}]`, exportAgain)
  }
  const pairs = x.shape.map((length, axis) => ({ length, count: repeats[axis] as number }))
  const apart = pairs.flatMap(({ length, count }) => (count === 1 ? [length] : [1, length]))
  const repeated = pairs.flatMap(({ length, count }) => (count === 1 ? [length] : [count, length]))
  return reshape(
    expand(reshape(x, apart), repeated),
    pairs.map(({ length, count }) => length * count),
  )
}

function sliced(c: ImportContext): Value {
  const [starts, ends] = [c.constantInts(1), c.constantInts(2)]
  if (starts === undefined || ends === undefined)
    return c.fail("starts and ends", `${c.inputCount} inputs`, exportAgain)
  const x = c.input(0)
  return slicedAxes(c, x.shape, starts, ends, c.constantInts(3), c.constantInts(4)).reduce(
    (part, { axis, start, step, count }) => takeSteps(part, axis, start, step, count),
    x,
  )
}

function parts(c: ImportContext): readonly Value[] {
  const x = c.input(0)
  const axis = axisIn(c, c.int("axis", 0), x.shape.length)
  const lengths = splitLengths(c, x.shape[axis] as number, attributeOrInput(c, "split", 13))
  return lengths.length === 1 ? [x] : split(x, axis, lengths)
}

/** A length per block and what is left of it, for ops that move blocks between channels and positions. */
function blocksOf(view: NodeView, lengths: Shape): { block: number; shares: Shape } {
  const block = view.int("blocksize", 0)
  const shares = lengths.map((length) => length / block)
  if (block >= 1 && shares.every(Number.isInteger)) return { block, shares }
  return view.fail(`lengths [${lengths.join(", ")}] in whole blocks`, `blocks of ${block}`, exportAgain)
}

function imageShape(c: ImportContext, { shape }: Value): readonly [number, number, number, number] {
  if (shape.length !== 4) return c.fail("[N, C, H, W]", `[${shape.join(", ")}]`)
  return shape as readonly number[] as readonly [number, number, number, number]
}

function depthToSpace(c: ImportContext): Value {
  const x = c.input(0)
  const [n, channels, h, w] = imageShape(c, x)
  const isDepthFirst = c.string("mode", "DCR") === "DCR"
  const { block } = blocksOf(c, [])
  const { shares } = blocksOf(c, [channels / block])
  const depth = shares[0] as number
  const apart = reshape(x, isDepthFirst ? [n, block, block, depth, h, w] : [n, depth, block, block, h, w])
  const moved = transpose(apart, isDepthFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3]) // [N, D, H, b, W, b]
  return reshape(moved, [n, depth, h * block, w * block])
}

function spaceToDepth(c: ImportContext): Value {
  const x = c.input(0)
  const [n, channels, h, w] = imageShape(c, x)
  const { block, shares } = blocksOf(c, [h, w])
  const [rows, columns] = shares as [number, number]
  const moved = transpose(reshape(x, [n, channels, rows, block, columns, block]), [0, 3, 5, 1, 2, 4])
  return reshape(moved, [n, channels * block * block, rows, columns])
}

/** ONNX's element types in the engine's: every float type is `float32`, every wide integer type `int64`. */
const dataTypes: Readonly<Record<number, DataType>> = {
  1: "float32",
  10: "float32",
  11: "float32",
  16: "float32",
  6: "int64",
  7: "int64",
  12: "int64",
  13: "int64",
  9: "bool",
}

/** The engine's type for a `Cast`; refuses types whose numbers it does not keep (strings, single bytes). */
export function castTarget(view: NodeView): DataType {
  const code = view.int("to", 0)
  return dataTypes[code] ?? view.fail("a float type, int32, int64 or bool", `type ${code}`)
}

/** Keeps the triangle of the last two axes on one side of a diagonal. */
function triangle(c: ImportContext): Value {
  const x = c.input(0)
  const [rows, columns] = x.shape.slice(-2)
  if (rows === undefined || columns === undefined) return c.fail("a matrix", `[${x.shape.join(", ")}]`, exportAgain)
  const isUpper = c.int("upper", 1) !== 0
  const diagonal = c.constantInts(1)?.[0] ?? 0
  const isKept = constantTensor(c, "bool", [rows, columns], ([row = 0, column = 0]) =>
    Number(isUpper ? column - row >= diagonal : column - row <= diagonal),
  )
  return x.dtype === "float32" ? where(isKept, x, 0) : mul(x, cast(isKept, x.dtype))
}

/** Ops that move numbers without changing them. */
export const layoutRules = {
  Identity: rule((c) => c.input(0)),
  Reshape: rule((c) => {
    const x = c.input(0)
    return reshape(x, reshapedTo(c, x.shape, c.constantInts(1) ?? []))
  }),
  Flatten: rule((c) => {
    const x = c.input(0)
    return reshape(x, flattenedTo(c, x.shape, c.int("axis", 1)))
  }),
  Transpose: rule((c) => transpose(c.input(0), permutation(c, c.input(0).shape.length))),
  Squeeze: rule((c) => reshape(c.input(0), squeezedTo(c, c.input(0).shape, attributeOrInput(c, "axes", 13)))),
  Unsqueeze: rule((c) => reshape(c.input(0), unsqueezedTo(c, c.input(0).shape, attributeOrInput(c, "axes", 13)))),
  Concat: rule((c) => {
    const inputs = Array.from({ length: c.inputCount }, (_, position) => c.input(position))
    return concat(inputs, axisIn(c, c.int("axis", 0), inputs[0]?.shape.length ?? 0))
  }),
  Split: rule(parts),
  Slice: rule(sliced),
  Expand: rule((c) => expand(c.input(0), broadcast(c, c.input(0).shape, c.constantInts(1) ?? []))),
  Tile: rule(tile),
  DepthToSpace: rule(depthToSpace),
  SpaceToDepth: rule(spaceToDepth),
  Trilu: rule(triangle, 14),
  Cast: rule((c) => cast(c.input(0), castTarget(c))),
  CastLike: rule((c) => cast(c.input(0), c.input(1).dtype), 15),
} as const satisfies Readonly<Record<string, ImportRule>>
