import { sizeOf } from "../tensor.ts"
import { at, axis, broadcastShapes, expectDtype, expectRank, Mismatch, type ShapeRules, written } from "./rule.ts"

export const movementShapes = {
  Reshape: (inputs, { shape }) => {
    const x = at(inputs, 0)
    if (sizeOf(shape) !== sizeOf(x.shape)) throw new Mismatch(`${sizeOf(x.shape)} elements`, `shape ${written(shape)}`)
    return [{ dtype: x.dtype, shape }]
  },
  Transpose: (inputs, { perm }) => {
    const x = at(inputs, 0)
    if (perm.length !== x.shape.length) throw new Mismatch(`${x.shape.length} axes`, `permutation ${written(perm)}`)
    return [{ dtype: x.dtype, shape: perm.map((index) => axis(x.shape, index)) }]
  },
  Expand: (inputs, { shape }) => [{ dtype: at(inputs, 0).dtype, shape: broadcastShapes(at(inputs, 0).shape, shape) }],
  Concat: (inputs, { axis: along }) => {
    const first = at(inputs, 0)
    for (const { shape } of inputs) {
      if (
        shape.length !== first.shape.length ||
        shape.some((length, index) => index !== along && length !== first.shape[index])
      ) {
        throw new Mismatch(`shapes equal outside axis ${along}`, inputs.map((input) => written(input.shape)).join(", "))
      }
    }
    const total = inputs.reduce((sum, { shape }) => sum + axis(shape, along), 0)
    return [{ dtype: first.dtype, shape: first.shape.map((length, index) => (index === along ? total : length)) }]
  },
  Split: (inputs, { axis: along, split }) => {
    const x = at(inputs, 0)
    const total = split.reduce((sum, length) => sum + length, 0)
    if (total !== axis(x.shape, along))
      throw new Mismatch(`parts that add up to ${axis(x.shape, along)}`, split.join(" + "))
    return split.map((part) => ({
      dtype: x.dtype,
      shape: x.shape.map((length, index) => (index === along ? part : length)),
    }))
  },
  Slice: (inputs, { starts, ends, axes, steps }) => {
    const x = at(inputs, 0)
    const shape = [...x.shape]
    for (const [index, along] of axes.entries()) {
      const length = axis(x.shape, along)
      const step = steps[index] as number
      const clamp = (position: number, low: number, high: number) =>
        Math.min(Math.max(position < 0 ? position + length : position, low), high)
      const start = clamp(starts[index] as number, 0, step < 0 ? length - 1 : length)
      const end = clamp(ends[index] as number, step < 0 ? -1 : 0, length)
      shape[along] = Math.max(0, Math.ceil((end - start) / step))
    }
    return [{ dtype: x.dtype, shape }]
  },
  Pad: (inputs, { pads }) => {
    const x = at(inputs, 0)
    const rank = x.shape.length
    if (pads.length !== 2 * rank) throw new Mismatch(`${2 * rank} pads`, `${pads.length}`)
    return [
      {
        dtype: x.dtype,
        shape: x.shape.map((length, index) => length + (pads[index] as number) + (pads[index + rank] as number)),
      },
    ]
  },
  Resize: (inputs, { times }) => {
    const x = at(inputs, 0)
    expectDtype(x, "float32")
    expectRank(x, 4)
    if (!times.every((each) => Number.isInteger(each) && each > 0)) throw new Mismatch("whole times", written(times))
    return [{ dtype: x.dtype, shape: x.shape.map((length, index) => length * (times[index - 2] ?? 1)) }]
  },
} as const satisfies ShapeRules
