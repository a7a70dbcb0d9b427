import { reshape } from "../../../graph/build.ts"
import type { Value } from "../../../graph/graph.ts"
import type { Shape } from "../../../graph/tensor.ts"
import type { ImportContext, NodeView } from "../rule.ts"
import { exportAgain } from "./axes.ts"

export type Pair = readonly [number, number]

/** Pads before both axes, then after them: [top, left, bottom, right]. */
export type Pads = readonly [number, number, number, number]

/** A window that moves over two axes. */
export interface Window {
  readonly kernel: Pair
  readonly strides: Pair
  readonly dilations: Pair
  readonly pads: Pads
}

/** Images [N, C, H, W] from images or from series [N, C, L], which become images of one row. */
export function asImages(c: ImportContext, x: Value): Value {
  const [n, channels, ...lengths] = x.shape
  if (n === undefined || channels === undefined || lengths.length < 1 || lengths.length > 2) {
    return c.fail("[N, C, L] or [N, C, H, W]", `[${x.shape.join(", ")}]`)
  }
  return lengths.length === 2 ? x : reshape(x, [n, channels, 1, lengths[0] as number])
}

/** Takes the one row of images away again where the node's input was a series. */
export function likeInput(c: ImportContext, y: Value): Value {
  return c.input(0).shape.length === 4 ? y : reshape(y, y.shape.toSpliced(2, 1))
}

/** One attribute of a window over the node's one or two axes, as a pair; one axis is the second of two. */
export function pairOf(view: NodeView, name: string, rank: number, absent: number, least = 1): Pair {
  const given = view.ints(name) ?? Array.from({ length: rank }, () => absent)
  if (given.length !== rank || given.some((number) => !Number.isSafeInteger(number) || number < least)) {
    return view.fail(`${name} of ${rank} numbers, ${least} or more`, `[${given.join(", ")}]`, exportAgain)
  }
  return rank === 1 ? [absent, given[0] as number] : [given[0] as number, given[1] as number]
}

/** How many positions of an axis a window covers. */
export function reach(kernel: number, dilation: number): number {
  return dilation * (kernel - 1) + 1
}

/** Splits padding over both ends; what is odd goes after for `SAME_UPPER` and before otherwise. */
export function shared(total: number, autoPad: string): Pair {
  const half = Math.floor(total / 2)
  return autoPad === "SAME_UPPER" ? [half, total - half] : [total - half, half]
}

/** The padding before and after each axis, in the order of `pads`. */
export function padsFrom([rows, columns]: readonly [Pair, Pair]): Pads {
  return [rows[0], columns[0], rows[1], columns[1]]
}

/** The attribute `auto_pad`; refuses words that ONNX does not know. */
export function autoPadOf(view: NodeView): string {
  const word = view.string("auto_pad", "NOTSET")
  if (["NOTSET", "", "VALID", "SAME_UPPER", "SAME_LOWER"].includes(word)) return word === "" ? "NOTSET" : word
  return view.fail("auto_pad NOTSET, VALID, SAME_UPPER or SAME_LOWER", word, exportAgain)
}

/** Pads as the attribute says, zero where it is missing. */
export function explicitPads(view: NodeView, rank: number): Pads {
  const given = view.ints("pads") ?? Array.from({ length: 2 * rank }, () => 0)
  if (given.length !== 2 * rank || given.some((number) => !Number.isSafeInteger(number) || number < 0)) {
    return view.fail(`${2 * rank} pads of zero or more`, `[${given.join(", ")}]`, exportAgain)
  }
  return (rank === 2 ? given : [0, given[0], 0, given[1]]) as readonly number[] as Pads
}

/**
 * The window of a convolution or pooling over [.., H, W]. `SAME` pads so that the output has the input's length over the
 * stride, rounded up.
 */
export function windowOf(view: NodeView, rank: number, lengths: Shape, kernel: Pair): Window {
  const strides = pairOf(view, "strides", rank, 1)
  const dilations = pairOf(view, "dilations", rank, 1)
  const autoPad = autoPadOf(view)
  const same = (index: 0 | 1): Pair => {
    const length = lengths[index] as number
    const covered = (Math.ceil(length / strides[index]) - 1) * strides[index] + reach(kernel[index], dilations[index])
    // Exporters' frameworks start such windows at 0, ONNX Runtime later.
    if (covered < length - 1)
      return view.fail("windows that reach the last position", `${autoPad} from ${strides[index]}`)
    return shared(Math.max(0, covered - length), autoPad)
  }
  const pads: Pads =
    autoPad === "NOTSET" ? explicitPads(view, rank) : autoPad === "VALID" ? [0, 0, 0, 0] : padsFrom([same(0), same(1)])
  return { kernel, strides, dilations, pads }
}

/** The kernel's lengths as the weight has them; refuses a `kernel_shape` that says otherwise. */
export function kernelOf(view: NodeView, rank: number, weight: Shape): Pair {
  const kernel = weight.slice(2) as readonly number[] as Pair
  const named = view.has("kernel_shape") ? pairOf(view, "kernel_shape", rank, 1) : kernel
  if (named.join() === kernel.join()) return kernel
  return view.fail(`the weight's kernel [${kernel.join(", ")}]`, `kernel_shape [${named.join(", ")}]`, exportAgain)
}
