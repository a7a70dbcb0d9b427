import { averagePool, concat, mul, pad, reshape, slice, split, transpose } from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import type { OpType } from "../../graph/ops.ts"
import type { GradientRule } from "../rule.ts"

const sliceRule: GradientRule<"Slice"> = ({ node, outputGradient }) => {
  const x = node.inputs[0] as Value
  const { starts, axes, steps } = node.attributes
  let gradient = outputGradient()
  for (const [index, axis] of axes.entries()) {
    const length = x.shape[axis] as number
    const step = steps[index] as number
    const count = gradient.shape[axis] as number
    if (step < 0 && count > 1) gradient = slice(gradient, axis, -1, -(2 ** 31), -1)
    const stride = Math.abs(step)
    const first = clampStart(starts[index] as number, length, step)
    const lowest = step < 0 && count > 0 ? first - (count - 1) * stride : first
    gradient = spread(gradient, axis, stride)
    const after = length - lowest - (gradient.shape[axis] as number)
    const pads = x.shape.flatMap(() => [0, 0])
    pads[axis] = lowest
    pads[axis + x.shape.length] = after
    gradient = pad(gradient, pads)
  }
  return [gradient]
}

function clampStart(start: number, length: number, step: number): number {
  const position = start < 0 ? start + length : start
  return Math.min(Math.max(position, 0), step < 0 ? length - 1 : length)
}

/** Puts `stride - 1` zeros between neighbours along an axis. */
export function spread(x: Value, axis: number, stride: number): Value {
  const length = x.shape[axis] as number
  if (stride === 1 || length === 0) return x
  const rank = x.shape.length
  const apart = reshape(x, [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)])
  const pads = Array.from({ length: 2 * (rank + 1) }, (_, index) => (index === rank + 1 + axis + 1 ? stride - 1 : 0))
  const joined = reshape(pad(apart, pads), [...x.shape.slice(0, axis), length * stride, ...x.shape.slice(axis + 1)])
  return slice(joined, axis, 0, (length - 1) * stride + 1)
}

export const movementRules = {
  Reshape: ({ node, outputGradient }) => [reshape(outputGradient(), (node.inputs[0] as Value).shape)],
  Transpose: ({ node, outputGradient }) => {
    const { perm } = node.attributes
    return [
      transpose(
        outputGradient(),
        perm.map((_, axis) => perm.indexOf(axis)),
      ),
    ]
  },
  Expand: ({ outputGradient }) => [outputGradient()],
  Concat: ({ node, outputGradient }) => {
    const { axis } = node.attributes
    return split(
      outputGradient(),
      axis,
      node.inputs.map((input) => input.shape[axis] as number),
    )
  },
  Split: ({ node, outputGradient }) => [
    concat(
      node.outputs.map((_, position) => outputGradient(position)),
      node.attributes.axis,
    ),
  ],
  Slice: sliceRule,
  Pad: ({ node, outputGradient }) => {
    const x = node.inputs[0] as Value
    const { pads } = node.attributes
    let gradient = outputGradient()
    // Negative padding cuts; its gradient puts zeros in the place of what was cut.
    if (pads.some((length) => length < 0))
      return [
        pad(
          gradient,
          pads.map((length) => -length),
        ),
      ]
    for (const [axis, length] of x.shape.entries()) {
      const before = pads[axis] as number
      if (gradient.shape[axis] !== length) gradient = slice(gradient, axis, before, before + length)
    }
    return [gradient]
  },
  Resize: ({ node, outputGradient }) => {
    const { times } = node.attributes
    const windows = { kernel: times, strides: times, pads: [0, 0, 0, 0], ceil: false, countIncludePad: false } as const
    return [mul(averagePool(outputGradient(), windows), times[0] * times[1])]
  },
} as const satisfies { readonly [K in OpType]?: GradientRule<K> }
