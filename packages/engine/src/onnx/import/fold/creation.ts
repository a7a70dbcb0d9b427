import { floatTensor, intTensor, sizeOf, type Tensor } from "../../../graph/tensor.ts"
import type { FoldRule, NodeView } from "../rule.ts"
import { axisIn, exportAgain } from "../rules/axes.ts"
import { castTarget } from "../rules/layout.ts"
import { filled, type Inputs, needed, stridesOf, wholeNumbers } from "./numbers.ts"

function constantOfShape(inputs: Inputs, view: NodeView): readonly Tensor[] {
  const shape = wholeNumbers(view, needed(view, inputs, 0)) ?? []
  const value = view.tensor("value") ?? floatTensor([1])
  return [filled(view, value.dtype, shape, () => value.data[0] ?? 0)]
}

/** From start up to the limit, which is left out. */
function range(inputs: Inputs, view: NodeView): readonly Tensor[] {
  const [start, limit, delta] = [0, 1, 2].map((position) => needed(view, inputs, position)) as [Tensor, Tensor, Tensor]
  const [first, end, step] = [start, limit, delta].map(({ data }) => Number(data[0] ?? Number.NaN)) as [
    number,
    number,
    number,
  ]
  const count = Math.max(0, Math.ceil((end - first) / step))
  if (!Number.isFinite(count)) return view.fail("a start, a limit and a step", `${first}, ${end}, ${step}`, exportAgain)
  return [filled(view, start.dtype, [count], (position) => first + position * step)]
}

function rowsAndColumns(view: NodeView, { shape }: Tensor): readonly [number, number] {
  const [rows, columns] = shape.slice(-2)
  if (rows !== undefined && columns !== undefined) return [rows, columns]
  return view.fail("a matrix", `[${shape.join(", ")}]`, exportAgain)
}

function triangle(inputs: Inputs, view: NodeView): readonly Tensor[] {
  const x = needed(view, inputs, 0)
  const [rows, columns] = rowsAndColumns(view, x)
  const diagonal = wholeNumbers(view, inputs[1])?.[0] ?? 0
  const isUpper = view.int("upper", 1) !== 0
  return [
    filled(view, x.dtype, x.shape, (position) => {
      const distance = (position % columns) - (Math.floor(position / columns) % rows)
      return (isUpper ? distance >= diagonal : distance <= diagonal) ? (x.data[position] as number | bigint) : 0
    }),
  ]
}

function eyeLike(inputs: Inputs, view: NodeView): readonly Tensor[] {
  const x = needed(view, inputs, 0)
  const [, columns] = rowsAndColumns(view, x)
  if (x.shape.length !== 2) return view.fail("a matrix", `[${x.shape.join(", ")}]`, exportAgain)
  const diagonal = view.int("k", 0)
  const dtype = view.has("dtype") ? castTarget({ ...view, int: () => view.int("dtype", 1) }) : x.dtype
  return [filled(view, dtype, x.shape, (at) => Number((at % columns) - Math.floor(at / columns) === diagonal))]
}

function oneHot(inputs: Inputs, view: NodeView): readonly Tensor[] {
  const [indices, depths, values] = [0, 1, 2].map((position) => needed(view, inputs, position)) as [
    Tensor,
    Tensor,
    Tensor,
  ]
  const depth = Number(depths.data[0] ?? 0)
  const axis = axisIn(view, view.int("axis", -1), indices.shape.length + 1)
  const inner = sizeOf(indices.shape.slice(axis))
  return [
    filled(view, values.dtype, indices.shape.toSpliced(axis, 0, depth), (position) => {
      const outer = Math.floor(position / (inner * depth))
      const index = Number(indices.data[outer * inner + (position % inner)])
      const isOn = (index < 0 ? index + depth : index) === Math.floor(position / inner) % depth
      return values.data[isOn ? 1 : 0] ?? 0
    }),
  ]
}

/** Coordinates of all numbers other than zero, one axis a row. */
function nonZero(inputs: Inputs, view: NodeView): readonly Tensor[] {
  const x = needed(view, inputs, 0)
  const found = Array.from(x.data as ArrayLike<number | bigint>, (number, at) =>
    Number(number) === 0 ? -1 : at,
  ).filter((at) => at >= 0)
  const rows = stridesOf(x.shape).map((stride, axis) =>
    found.map((at) => Math.floor(at / stride) % (x.shape[axis] as number)),
  )
  return [intTensor([x.shape.length, found.length], rows.flat())]
}

/** Ops that make numbers out of lengths. */
export const creationFolds = {
  ConstantOfShape: constantOfShape,
  Range: range,
  Trilu: triangle,
  EyeLike: eyeLike,
  OneHot: oneHot,
  NonZero: nonZero,
} as const satisfies Readonly<Record<string, FoldRule>>
