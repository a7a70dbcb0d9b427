import type { Tensor } from "../../../graph/tensor.ts"
import type { FoldRule, NodeView } from "../rule.ts"
import {
  axisIn,
  broadcast,
  exportAgain,
  flattenedTo,
  madeShape,
  padsOf,
  permutation,
  reshapedTo,
  slicedAxes,
  splitLengths,
  squeezedTo,
  unsqueezedTo,
} from "../rules/axes.ts"
import { castTarget } from "../rules/layout.ts"
import {
  attributeOrInput,
  expanded,
  filled,
  type Inputs,
  needed,
  picked,
  reshaped,
  stridesOf,
  wholeNumbers,
} from "./numbers.ts"

const one =
  (fold: (inputs: Inputs, view: NodeView) => Tensor): FoldRule =>
  (inputs, view) => [fold(inputs, view)]

/** A numbered position of the source for each coordinate of one axis; all other axes stay as they are. */
function along(
  view: NodeView,
  x: Tensor,
  positions: ReadonlyMap<number, { readonly length: number; readonly at: (coordinate: number) => number }>,
  filler: number | bigint = 0,
): Tensor {
  const strides = stridesOf(x.shape)
  const shape = x.shape.map((length, axis) => positions.get(axis)?.length ?? length)
  return picked(
    view,
    x,
    shape,
    (axis, coordinate) => (positions.get(axis)?.at(coordinate) ?? coordinate) * (strides[axis] as number),
    filler,
  )
}

function concatenated(inputs: Inputs, view: NodeView): Tensor {
  const parts = inputs.map((_, position) => needed(view, inputs, position))
  const head = needed(view, inputs, 0)
  const axis = axisIn(view, view.int("axis", 0), head.shape.length)
  const isFitting = parts.every(
    ({ dtype, shape }) =>
      dtype === head.dtype &&
      shape.length === head.shape.length &&
      shape.every((length, index) => index === axis || length === head.shape[index]),
  )
  if (!isFitting)
    return view.fail(`shapes equal outside axis ${axis}`, parts.map(({ shape }) => `[${shape}]`).join(", "))
  const total = parts.reduce((sum, { shape }) => sum + (shape[axis] as number), 0)
  madeShape(view, head.shape.with(axis, total))
  const inner = stridesOf(head.shape)[axis] as number
  const owners = parts.flatMap((part) =>
    Array.from({ length: part.shape[axis] as number }, (_, coordinate) => ({ part, coordinate })),
  )
  return filled(view, head.dtype, head.shape.with(axis, total), (position) => {
    const { part, coordinate } = owners[Math.floor(position / inner) % total] as (typeof owners)[number]
    const before = Math.floor(position / (inner * total))
    return part.data[(before * (part.shape[axis] as number) + coordinate) * inner + (position % inner)] as
      | number
      | bigint
  })
}

function transposed(inputs: Inputs, view: NodeView): Tensor {
  const x = needed(view, inputs, 0)
  const strides = stridesOf(x.shape)
  const perm = permutation(view, x.shape.length)
  const shape = perm.map((axis) => x.shape[axis] as number)
  return picked(view, x, shape, (axis, coordinate) => coordinate * (strides[perm[axis] as number] as number))
}

function sliced(inputs: Inputs, view: NodeView): Tensor {
  const x = needed(view, inputs, 0)
  const [starts, ends, axes, steps] = [1, 2, 3, 4].map((position) => wholeNumbers(view, inputs[position]))
  if (starts === undefined || ends === undefined)
    return view.fail("starts and ends", `${inputs.length} inputs`, exportAgain)
  const cuts = slicedAxes(view, x.shape, starts, ends, axes, steps)
  return along(
    view,
    x,
    new Map(
      cuts.map(({ axis, start, step, count }) => [
        axis,
        { length: count, at: (coordinate: number) => start + step * coordinate },
      ]),
    ),
  )
}

function parts(inputs: Inputs, view: NodeView): readonly Tensor[] {
  const x = needed(view, inputs, 0)
  const axis = axisIn(view, view.int("axis", 0), x.shape.length)
  const lengths = splitLengths(view, x.shape[axis] as number, attributeOrInput(view, inputs, "split", 13))
  return lengths.map((length, index) => {
    const start = lengths.slice(0, index).reduce((sum, part) => sum + part, 0)
    return along(view, x, new Map([[axis, { length, at: (coordinate: number) => start + coordinate }]]))
  })
}

function tiled(inputs: Inputs, view: NodeView): Tensor {
  const x = needed(view, inputs, 0)
  const repeats = wholeNumbers(view, inputs[1]) ?? []
  if (repeats.length !== x.shape.length) return view.fail(`${x.shape.length} repeats`, `${repeats.length}`, exportAgain)
  const positions = x.shape.map((length, axis) => {
    return [
      axis,
      { length: length * (repeats[axis] as number), at: (coordinate: number) => coordinate % length },
    ] as const
  })
  return along(view, x, new Map(positions))
}

/** Where a coordinate beyond an axis is found, by ONNX's name of the mode; not a number where the filler stands. */
const beyond: Readonly<Record<string, (coordinate: number, length: number) => number>> = {
  constant: () => Number.NaN,
  edge: (coordinate, length) => Math.min(Math.max(coordinate, 0), length - 1),
  reflect: (coordinate, length) => (coordinate < 0 ? -coordinate : 2 * (length - 1) - coordinate),
  wrap: (coordinate, length) => (coordinate + length) % length,
}

function padded(inputs: Inputs, view: NodeView): Tensor {
  const x = needed(view, inputs, 0)
  const find = beyond[view.string("mode", "constant")]
  if (find === undefined) return view.fail("mode constant, reflect, edge or wrap", view.string("mode", ""))
  const given = wholeNumbers(view, inputs[1]) ?? view.fail("pads", "none", exportAgain)
  const rank = x.shape.length
  const pads = padsOf(view, rank, given, wholeNumbers(view, inputs[3]))
  const positions = x.shape.map((length, axis) => {
    const [before, after] = [pads[axis] as number, pads[axis + rank] as number]
    const at = (coordinate: number) => {
      const from = coordinate - before
      const found = from >= 0 && from < length ? from : find(from, length)
      return found < 0 || found >= length ? view.fail("pads within the axis", `[${pads.join(", ")}]`) : found
    }
    return [axis, { length: Math.max(0, length + before + after), at }] as const
  })
  return along(view, x, new Map(positions), inputs[2]?.data[0] ?? 0)
}

/** Widths of ONNX's integer types by code; negative for unsigned ones. */
const integerBits: Readonly<Record<number, number>> = { 2: -8, 3: 8, 4: -16, 5: 16, 6: 32, 7: 64, 12: -32, 13: -64 }

/** Floats lose their fraction on the way to integers, which keep their lowest bits. */
function castTo(inputs: Inputs, view: NodeView): Tensor {
  const x = needed(view, inputs, 0)
  const bits = integerBits[view.int("to", 0)]
  if (bits === undefined) return converted(view, x, castTarget(view))
  const whole = converted(view, x, "int64")
  const narrow = bits < 0 ? BigInt.asUintN : BigInt.asIntN
  return filled(view, "int64", x.shape, (at) => narrow(Math.abs(bits), whole.data[at] as bigint))
}

function converted(view: NodeView, x: Tensor, dtype: Tensor["dtype"]): Tensor {
  if (x.dtype === dtype) return x
  if (dtype === "bool") return filled(view, dtype, x.shape, (at) => (Number(x.data[at]) === 0 ? 0 : 1))
  if (dtype === "float32" || x.dtype === "bool")
    return filled(view, dtype, x.shape, (at) => x.data[at] as number | bigint)
  return filled(view, dtype, x.shape, (at) => {
    const number = Math.trunc(x.data[at] as number)
    return Number.isFinite(number) ? BigInt(number) : view.fail("numbers that an integer can hold", String(number))
  })
}

/** Ops that move numbers, or change their type. */
export const layoutFolds = {
  Identity: one((inputs, view) => needed(view, inputs, 0)),
  Reshape: one((inputs, view) => {
    const x = needed(view, inputs, 0)
    return reshaped(x, reshapedTo(view, x.shape, wholeNumbers(view, inputs[1]) ?? []))
  }),
  Flatten: one((inputs, view) => {
    const x = needed(view, inputs, 0)
    return reshaped(x, flattenedTo(view, x.shape, view.int("axis", 1)))
  }),
  Squeeze: one((inputs, view) => {
    const x = needed(view, inputs, 0)
    return reshaped(x, squeezedTo(view, x.shape, attributeOrInput(view, inputs, "axes", 13)))
  }),
  Unsqueeze: one((inputs, view) => {
    const x = needed(view, inputs, 0)
    return reshaped(x, unsqueezedTo(view, x.shape, attributeOrInput(view, inputs, "axes", 13)))
  }),
  Transpose: one(transposed),
  Concat: one(concatenated),
  Slice: one(sliced),
  Split: parts,
  Expand: one((inputs, view) => {
    const x = needed(view, inputs, 0)
    return expanded(view, x, madeShape(view, broadcast(view, x.shape, wholeNumbers(view, inputs[1]) ?? [])))
  }),
  Tile: one(tiled),
  Pad: one(padded),
  Cast: one(castTo),
  CastLike: one((inputs, view) => converted(view, needed(view, inputs, 0), needed(view, inputs, 1).dtype)),
} as const satisfies Readonly<Record<string, FoldRule>>
