import { add, conv, convTranspose, reshape } from "../../../graph/build.ts"
import type { Value } from "../../../graph/graph.ts"
import type { ImportContext, ImportRule } from "../rule.ts"
import { exportAgain } from "./axes.ts"
import {
  asImages,
  autoPadOf,
  explicitPads,
  kernelOf,
  likeInput,
  type Pads,
  type Pair,
  padsFrom,
  pairOf,
  reach,
  shared,
  windowOf,
} from "./window.ts"

/** What both convolutions share: images, a weight with two kernel axes, groups. */
function operands(c: ImportContext) {
  const rank = c.input(0).shape.length - 2
  const [x, weight] = [asImages(c, c.input(0)), c.input(1)]
  if (weight.shape.length !== rank + 2) {
    return c.fail(`a weight of ${rank + 2} axes`, `[${weight.shape.join(", ")}]`, exportAgain)
  }
  const group = c.int("group", 1)
  if (group < 1) return c.fail("one group or more", String(group), exportAgain)
  return { rank, x, weight: asImages(c, weight), group }
}

/** Adds one number per channel. */
function shifted(c: ImportContext, y: Value): Value {
  if (!c.hasInput(2)) return y
  const bias = c.input(2)
  if (bias.shape.length !== 1 || bias.shape[0] !== y.shape[1]) {
    return c.fail(`a bias of ${y.shape[1]} numbers`, `[${bias.shape.join(", ")}]`, exportAgain)
  }
  return add(y, reshape(bias, [1, bias.shape[0] as number, 1, 1]))
}

function convolution(c: ImportContext): Value {
  const { rank, x, weight, group } = operands(c)
  const window = windowOf(c, rank, x.shape.slice(2), kernelOf(c, rank, weight.shape))
  const { strides, pads, dilations } = window
  return likeInput(c, shifted(c, conv(x, weight, { strides, pads, dilations, group })))
}

/**
 * Along each axis the output has `stride (length - 1) + output_padding + reach - pads` positions. `output_shape` and
 * `SAME`, which asks for stride times the input, say that length and leave the pads open.
 */
function transposedConvolution(c: ImportContext): Value {
  const { rank, x, weight, group } = operands(c)
  const kernel = kernelOf(c, rank, weight.shape)
  const strides = pairOf(c, "strides", rank, 1)
  const dilations = pairOf(c, "dilations", rank, 1)
  const given = pairOf(c, "output_padding", rank, 0, 0)
  if (x.shape[1] !== weight.shape[0] || (weight.shape[0] as number) % group !== 0) {
    return c.fail(
      `${weight.shape[0]} input channels in ${group} groups`,
      `input [${x.shape.join(", ")}], weight [${weight.shape.join(", ")}]`,
      exportAgain,
    )
  }
  const autoPad = autoPadOf(c)
  const full = ([0, 1] as const).map(
    (axis) => strides[axis] * ((x.shape[axis + 2] as number) - 1) + reach(kernel[axis], dilations[axis]),
  ) as readonly number[] as Pair
  const wanted: Pair | undefined = c.has("output_shape")
    ? pairOf({ ...c, ints: () => c.ints("output_shape")?.slice(-rank) }, "output_shape", rank, 1)
    : autoPad.startsWith("SAME")
      ? [(x.shape[2] as number) * strides[0], (x.shape[3] as number) * strides[1]]
      : undefined
  const fitted = ([0, 1] as const).map((axis): { pads: Pair; extra: number } => {
    if (wanted === undefined) return { pads: [0, 0], extra: given[axis] }
    const surplus = full[axis] + given[axis] - wanted[axis]
    if (surplus >= 0) return { pads: shared(surplus, autoPad), extra: given[axis] }
    // Like ONNX Runtime, which gives what there is where it is not told the length.
    return { pads: [0, 0], extra: given[axis] - (c.has("output_shape") ? surplus : 0) }
  }) as [{ pads: Pair; extra: number }, { pads: Pair; extra: number }]
  const pads: Pads =
    wanted === undefined && autoPad === "NOTSET" ? explicitPads(c, rank) : padsFrom([fitted[0].pads, fitted[1].pads])
  const outputPadding: Pair = [fitted[0].extra, fitted[1].extra]
  return likeInput(c, shifted(c, convTranspose(x, weight, { strides, pads, dilations, group, outputPadding })))
}

export const convolutionRules = {
  Conv: { since: 11, gradient: true, build: convolution },
  ConvTranspose: { since: 11, gradient: true, build: transposedConvolution },
} as const satisfies Readonly<Record<string, ImportRule>>
