import {
  add,
  averagePool,
  div,
  expand,
  layerNormalization,
  mul,
  pow,
  reciprocal,
  reduceMean,
  reshape,
  sqrt,
  sub,
} from "../../../graph/build.ts"
import type { Value } from "../../../graph/graph.ts"
import { floatTensor, sizeOf } from "../../../graph/tensor.ts"
import type { ImportContext, ImportRule } from "../rule.ts"
import { axisIn, broadcast, exportAgain } from "./axes.ts"
import { constantOf } from "./constants.ts"

const defaultEpsilon = 1e-5

/** Normalises groups of channels of [N, C, ..] over their positions (Wu & He 2018, section 3), without scale and shift. */
function normalizedGroups(c: ImportContext, x: Value, groups: number): Value {
  const [n, channels] = x.shape
  if (n === undefined || channels === undefined || x.shape.length < 2 || groups < 1 || channels % groups !== 0) {
    return c.fail(`[N, C, ..] with C in ${groups} groups`, `[${x.shape.join(", ")}]`, exportAgain)
  }
  const size = sizeOf(x.shape) / (n * groups)
  const [ones, zeros] = [constantOf(c, [size], 1), constantOf(c, [size], 0)]
  const rows = reshape(x, [n, groups, size])
  return reshape(layerNormalization(rows, ones, zeros, 2, c.float("epsilon", defaultEpsilon)), x.shape)
}

/** Multiplies by the scale (input 1) and adds the bias (input 2), each one number per channel or per group. */
function scaledChannels(c: ImportContext, y: Value, count: number): Value {
  const channels = y.shape[1] as number
  const [scale, bias] = [c.input(1), c.input(2)]
  for (const parameter of [scale, bias]) {
    if (parameter.shape.length !== 1 || parameter.shape[0] !== count) {
      return c.fail(`scale and bias of ${count} numbers`, `[${parameter.shape.join(", ")}]`, exportAgain)
    }
  }
  const perChannel = (parameter: Value) => {
    const repeated = expand(reshape(parameter, [count, 1]), [count, channels / count])
    return reshape(repeated, [1, channels, ...y.shape.slice(2).map(() => 1)])
  }
  return add(mul(y, perChannel(scale)), perChannel(bias))
}

function instanceNormalization(c: ImportContext): Value {
  const x = c.input(0)
  const channels = x.shape[1] ?? 0
  return scaledChannels(c, normalizedGroups(c, x, channels), channels)
}

/** Scale and bias are per group in opset 18, and per channel from 21 on. */
function groupNormalization(c: ImportContext): Value {
  const x = c.input(0)
  const groups = c.int("num_groups", 0)
  const y = normalizedGroups(c, x, groups)
  return scaledChannels(c, y, c.opset < 21 ? groups : (x.shape[1] as number))
}

/** Ba et al. 2016, equation 4. Mean and inverse deviation, which almost nobody reads, are worked out on their own. */
function layerNorm(c: ImportContext): readonly Value[] {
  const x = c.input(0)
  const axis = axisIn(c, c.int("axis", -1), x.shape.length)
  const normalized = x.shape.slice(axis)
  const epsilon = c.float("epsilon", defaultEpsilon)
  const [scale, bias] = [c.input(1), c.hasInput(2) ? c.input(2) : constantOf(c, normalized, 0)]
  // A scale or bias may also differ along the axes before, which the op itself does not know.
  const isPlain = [scale, bias].every(({ shape }) => broadcast(c, normalized, shape).join() === normalized.join())
  const [ones, zeros] = isPlain ? [scale, bias] : [constantOf(c, normalized, 1), constantOf(c, normalized, 0)]
  const rows = layerNormalization(x, expand(ones, normalized), expand(zeros, normalized), axis, epsilon)
  const y = isPlain ? rows : add(mul(rows, scale), bias)
  if (c.node.outputs.slice(1).every((name) => name === "")) return [y]
  const axes = normalized.map((_, index) => axis + index)
  const mean = reduceMean(x, axes, true)
  const centred = sub(x, mean)
  const variance = reduceMean(mul(centred, centred), axes, true)
  return [y, mean, reciprocal(sqrt(add(variance, epsilon)))]
}

/**
 * Divides by a power of the mean square over neighbouring channels, where channels beyond the ends count as zero
 * (Krizhevsky et al. 2012, section 3.3).
 */
function acrossChannels(c: ImportContext): Value {
  const x = c.input(0)
  const size = c.int("size", 0)
  const [n, channels, ...positions] = x.shape
  if (n === undefined || channels === undefined || size < 1)
    return c.fail("[N, C, ..] and a size", `${size}`, exportAgain)
  const images = reshape(mul(x, x), [n, 1, channels, sizeOf(positions)])
  const before = Math.floor((size - 1) / 2)
  const means = averagePool(images, {
    kernel: [size, 1],
    strides: [1, 1],
    pads: [before, 0, size - 1 - before, 0],
    ceil: false,
    countIncludePad: true,
  })
  const scale = add(mul(reshape(means, x.shape), c.float("alpha", 1e-4)), c.float("bias", 1))
  return div(x, pow(scale, c.graph.constant(floatTensor([], Float32Array.of(c.float("beta", 0.75))))))
}

export const normalizationRules = {
  LRN: { since: 11, gradient: true, build: acrossChannels },
  InstanceNormalization: { since: 11, gradient: true, build: instanceNormalization },
  GroupNormalization: { since: 18, gradient: true, build: groupNormalization },
  LayerNormalization: { since: 17, gradient: true, build: layerNorm },
} as const satisfies Readonly<Record<string, ImportRule>>
