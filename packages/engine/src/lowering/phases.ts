import { concat, reshape } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import { canBlock, channelBlocks, reorder, swapBlocks } from "./blocked.ts"
import { crop } from "./crop.ts"
import { blockTaps, canBlockDepthwise } from "./depthwise.ts"
import type { ConvProduct, Lowering } from "./product.ts"

/** Every stride-th position of one axis of the input, and the taps that reach it; they all reach it from one phase alone. */
interface Phase {
  /** The last tap, and how many taps lie between it and the one before. */
  readonly last: number
  readonly step: number
  readonly count: number
  readonly dilation: number
  /** Zeros around the output gradient, so that convolving it gives every position of the phase. */
  readonly before: number
  readonly after: number
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b))

/**
 * Position stride j + r of the input is reached by tap t from output j - (dilation t - padding - r) / stride, where that is
 * whole. Undefined where no tap reaches the phase.
 */
function phaseOf(product: ConvProduct, axis: 0 | 1, r: number): Phase | undefined {
  const [stride, dilation] = [product.strides[axis], product.dilations[axis]]
  const kernel = product.weightShape[2 + axis] as number
  const shiftOf = (tap: number) => (dilation * tap - product.pads[axis] - r) / stride
  const taps = Array.from({ length: kernel }, (_, tap) => tap).filter((tap) => Number.isInteger(shiftOf(tap)))
  const [first, last] = [taps[0], taps.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const common = greatestDivisor(stride, dilation)
  return {
    last,
    step: stride / common,
    count: taps.length,
    dilation: dilation / common,
    before: shiftOf(last),
    after: lengthOf(product, axis) - (product.outputShape[2 + axis] as number) - shiftOf(first),
  }
}

/** Positions of every phase; the last ones of some may lie outside of the input. */
function lengthOf({ inputShape, strides }: ConvProduct, axis: 0 | 1): number {
  return Math.ceil((inputShape[2 + axis] as number) / strides[axis])
}

/** Every phase of both axes, where all are reached by taps and none would have to be cropped. */
function phasesOf(product: ConvProduct): readonly [readonly Phase[], readonly Phase[]] | undefined {
  const [rows, columns] = ([0, 1] as const).map((axis) =>
    Array.from({ length: product.strides[axis] }, (_, r) => phaseOf(product, axis, r)).filter(
      (phase) => phase !== undefined && phase.before >= 0 && phase.after >= 0,
    ),
  ) as [Phase[], Phase[]]
  return rows.length === product.strides[0] && columns.length === product.strides[1] ? [rows, columns] : undefined
}

function hasPhases(product: ConvProduct): boolean {
  return Math.max(...product.strides) > 1 && phasesOf(product) !== undefined
}

/** The taps of a pair of phases, in reverse order, as a weight in blocked order. */
type Taps = (rows: Phase, columns: Phase) => Value

/** The taps of two phases of [M, KH, KW, L], in reverse order: [M, rows.count, columns.count, L]. */
function reversedTaps(weight: Value, rows: Phase, columns: Phase): Value {
  const [, kh, kw] = weight.shape as [number, number, number]
  if (kh === 1 && kw === 1) return weight
  // One past the first tap; counting backwards, "before the start" is the most negative number.
  const end = ({ last, step, count }: Phase) => (last - step * count < 0 ? -(2 ** 31) : last - step * count)
  return weight.graph.add("Slice", [weight], {
    starts: [rows.last, columns.last],
    ends: [end(rows), end(columns)],
    axes: [1, 2],
    steps: [-rows.step, -columns.step],
  })[0] as Value
}

/**
 * Input gradient of a strided product without zeros in between: each phase of the input is a small convolution of stride
 * one with the taps that reach it, and the phases are laid between one another while a block of channels is the
 * innermost axis, so that what moves is whole blocks.
 */
function byPhase(product: ConvProduct, dy: Value, taps: Taps, block: number): Value {
  const [n, channels, h, w] = product.inputShape as [number, number, number, number]
  const [jh, jw] = [lengthOf(product, 0), lengthOf(product, 1)]
  const blocked = reorder(dy)
  const count = (n * channels) / block
  const [rows, columns] = phasesOf(product) as [Phase[], Phase[]]
  const bands = rows.map((row) => {
    const maps = columns.map((column) => {
      const [y] = dy.graph.add("NchwcConv", [blocked, taps(row, column)], {
        strides: [1, 1],
        pads: [row.before, column.before, row.after, column.after],
        dilations: [row.dilation, column.dilation],
        group: product.group,
        channels,
      }) as [Value]
      return reshape(y, [count * jh * jw, block])
    })
    return reshape(concat(maps, 1), [count * jh, jw * columns.length * block])
  })
  const woven = reshape(concat(bands, 1), [n, channels, jh * rows.length, jw * columns.length])
  return crop(dy.graph.add("NchwcReorderOutput", [woven], { channels })[0] as Value, h, w)
}

/** The ways to compute a strided input gradient phase by phase. */
export const phaseLowerings: readonly Lowering[] = channelBlocks.flatMap((block): Lowering[] => [
  {
    name: `phases-blocked-${block}`,
    channelBlock: block,
    fits: (product) => {
      const [o, c] = product.weightShape as [number, number]
      return hasPhases(product) && canBlock(block, o / product.group, c, product.group) && o % block === 0
    },
    build: (product, [weight, dy]) => {
      const [o, c, kh, kw] = product.weightShape as [number, number, number, number]
      const { group } = product
      const blocks = reshape(swapBlocks(weight, block, group), [(o * c) / block ** 2, kh, kw, block ** 2])
      return byPhase(
        product,
        dy,
        (rows, columns) =>
          reshape(reversedTaps(blocks, rows, columns), [c * group, o / group, rows.count, columns.count]),
        block,
      )
    },
  },
  {
    name: `phases-depthwise-blocked-${block}`,
    channelBlock: block,
    fits: (product) => hasPhases(product) && canBlockDepthwise(block, product),
    build: (product, [weight, dy]) => {
      const [c, , kh, kw] = product.weightShape as [number, number, number, number]
      const taps = reshape(weight, [c, kh, kw, 1])
      return byPhase(
        product,
        dy,
        (rows, columns) => blockTaps(reshape(reversedTaps(taps, rows, columns), [c, 1, rows.count, columns.count])),
        block,
      )
    },
  },
])
