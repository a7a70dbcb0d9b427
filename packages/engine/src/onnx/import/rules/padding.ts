import { concat, expand, pad, slice } from "../../../graph/build.ts"
import type { Value } from "../../../graph/graph.ts"
import type { ImportContext, ImportRule } from "../rule.ts"
import { exportAgain, padsOf } from "./axes.ts"
import { takeSteps } from "./layout.ts"

/** What stands before and after x along an axis; `undefined` where nothing does. */
type Border = (x: Value, axis: number, before: number, after: number) => readonly [Value | undefined, Value | undefined]

const withLength = (x: Value, axis: number, length: number) => x.shape.with(axis, length)

/** Every border that repeats x itself, by ONNX's name of the mode. */
const borders = (c: ImportContext): Readonly<Record<string, Border>> => ({
  reflect: (x, axis, before, after) => {
    const length = x.shape[axis] as number
    return [
      before === 0 ? undefined : takeSteps(x, axis, before, -1, before),
      after === 0 ? undefined : takeSteps(x, axis, length - 2, -1, after),
    ]
  },
  edge: (x, axis, before, after) => {
    const length = x.shape[axis] as number
    return [
      before === 0 ? undefined : expand(slice(x, axis, 0, 1), withLength(x, axis, before)),
      after === 0 ? undefined : expand(slice(x, axis, length - 1, length), withLength(x, axis, after)),
    ]
  },
  wrap: (x, axis, before, after) => {
    const length = x.shape[axis] as number
    return [
      before === 0 ? undefined : takeSteps(x, axis, length - before, 1, before),
      after === 0 ? undefined : takeSteps(x, axis, 0, 1, after),
    ]
  },
  constant: (x, axis, before, after) => {
    const filler = (length: number) => (length === 0 ? undefined : expand(c.input(2), withLength(x, axis, length)))
    return [filler(before), filler(after)]
  },
})

/** The longest border that a mode can take from an axis. */
const longestBorder: Readonly<Record<string, (length: number) => number>> = {
  reflect: (length) => length - 1,
  wrap: (length) => length,
  edge: (length) => (length === 0 ? 0 : Number.POSITIVE_INFINITY),
}

/** Negative pads cut first; then each axis gets what stands before and after it. */
function padded(c: ImportContext): Value {
  const x = c.input(0)
  const rank = x.shape.length
  const mode = c.string("mode", "constant")
  const border = borders(c)[mode]
  if (border === undefined) return c.fail("mode constant, reflect, edge or wrap", mode)
  const given = c.constantInts(1)
  if (given === undefined) return c.fail("pads", "none", exportAgain)
  const pads = padsOf(c, rank, given, c.constantInts(3))
  const around = x.shape.map((_, axis) => ({ axis, before: pads[axis] as number, after: pads[axis + rank] as number }))
  const cut = around.reduce((part, { axis, before, after }) => {
    const length = part.shape[axis] as number
    const [start, end] = [Math.max(0, -before), length + Math.min(0, after)]
    return start === 0 && end === length ? part : slice(part, axis, start, Math.max(start, end))
  }, x)
  if (mode === "constant" && isZero(c))
    return pad(
      cut,
      pads.map((length) => Math.max(0, length)),
    )
  return around.reduce((part, { axis, before, after }) => {
    const [first, last] = [Math.max(0, before), Math.max(0, after)]
    const most = longestBorder[mode]?.(part.shape[axis] as number) ?? Number.POSITIVE_INFINITY
    if (first > most || last > most) return c.fail(`pads of at most ${most}`, `${first} and ${last}`, exportAgain)
    return concat(
      [border(part, axis, first, last)[0], part, border(part, axis, first, last)[1]].filter(
        (each) => each !== undefined,
      ),
      axis,
    )
  }, cut)
}

/** Whether the number that fills constant padding is zero, which is also what is left out. */
function isZero(c: ImportContext): boolean {
  const filler = c.constant(2)
  return !c.hasInput(2) || (filler !== undefined && Number(filler.data[0] ?? 0) === 0)
}

export const paddingRules = {
  Pad: { since: 11, gradient: true, build: padded },
} as const satisfies Readonly<Record<string, ImportRule>>
