import type { PoolAttributes } from "../ops.ts"
import {
  at,
  axis,
  expectDtype,
  expectRank,
  expectShape,
  Mismatch,
  type ShapeRules,
  type TypedShape,
  written,
} from "./rule.ts"

/** Number of windows along one axis; in ceil mode the last one must start inside the input or the padding before it. */
function poolLength(
  index: 0 | 1,
  length: number,
  { kernel, strides, pads, ceil }: PoolAttributes,
  dilation: number,
): number {
  const [before, after] = [pads[index], pads[(index + 2) as 2 | 3]]
  const free = length + before + after - dilation * (kernel[index] - 1) - 1
  if (free < 0) return 0
  if (!ceil) return Math.floor(free / strides[index]) + 1
  const windows = Math.ceil(free / strides[index]) + 1
  return (windows - 1) * strides[index] >= length + before ? windows - 1 : windows
}

function pool(
  inputs: readonly TypedShape[],
  attributes: PoolAttributes,
  dilations: readonly [number, number],
): TypedShape {
  const x = at(inputs, 0)
  expectRank(x, 4)
  const { kernel, pads } = attributes
  if (pads.some((pad, index) => pad >= (kernel[index % 2] as number))) {
    throw new Mismatch("pads smaller than the kernel", `pads ${written(pads)}, kernel ${written(kernel)}`)
  }
  const outH = poolLength(0, axis(x.shape, 2), attributes, dilations[0])
  const outW = poolLength(1, axis(x.shape, 3), attributes, dilations[1])
  if (outH < 1 || outW < 1) throw new Mismatch("an input at least as large as the kernel", written(x.shape))
  return { dtype: x.dtype, shape: [axis(x.shape, 0), axis(x.shape, 1), outH, outW] }
}

export const poolingShapes = {
  BatchNormalization: (inputs, { training }) => {
    const x = at(inputs, 0)
    const channels = axis(x.shape, 1)
    for (const parameter of [1, 2, 3, 4]) {
      if (axis(at(inputs, parameter).shape, 0) !== channels)
        throw new Mismatch(`${channels} channels`, `${at(inputs, parameter).shape[0]}`)
    }
    const statistic: TypedShape = { dtype: "float32", shape: [channels] }
    return training ? [x, statistic, statistic] : [x]
  },
  LayerNormalization: (inputs, { axis: from }) => {
    const x = at(inputs, 0)
    expectDtype(x, "float32")
    axis(x.shape, from)
    for (const parameter of [1, 2]) expectShape(at(inputs, parameter), x.shape.slice(from))
    const shape = x.shape.map((length, index) => (index < from ? length : 1))
    return [x, { dtype: "float32", shape }, { dtype: "float32", shape }]
  },
  MaxPool: (inputs, { dilations, ...attributes }) => {
    if (at(inputs, 0).dtype !== "uint8") expectDtype(at(inputs, 0), "float32")
    const y = pool(inputs, attributes, dilations)
    return [y, { dtype: "int64", shape: y.shape }]
  },
  AveragePool: (inputs, attributes) => {
    expectDtype(at(inputs, 0), "float32")
    return [pool(inputs, attributes, [1, 1])]
  },
  GlobalAveragePool: (inputs) => {
    const x = at(inputs, 0)
    return [{ dtype: x.dtype, shape: x.shape.map((length, index) => (index < 2 ? length : 1)) }]
  },
} as const satisfies ShapeRules
