/**
 * One frequency of a fast convolution along an axis: what it takes of a tile's input, what of the kernel, and what its
 * product gives to each output of the tile.
 */
export interface Frequency {
  /** Coefficient by input position, counted from the tile's first output times the stride, padding not yet taken off. */
  readonly input: ReadonlyMap<number, number>
  /** Coefficient by tap. */
  readonly kernel: ReadonlyMap<number, number>
  /** Coefficient of each output of the tile. */
  readonly output: readonly number[]
}

/** The interpolation points of Toom and Cook, small and symmetric ones first: they round least. */
const points = [0, 1, -1, 2, -2]
/** More points would round too much for float32. */
export const mostPoints = points.length + 1

/** Coefficients of the product of (x - root), lowest power first. */
function polynomial(roots: readonly number[]): number[] {
  const product = [1]
  for (const root of roots) {
    product.push(0)
    for (let power = product.length - 1; power >= 0; power--) {
      product[power] = (product[power - 1] ?? 0) - root * (product[power] as number)
    }
  }
  return product
}

/**
 * Minimal filtering F(m, r) (Winograd 1980; Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016):
 * m outputs of a filter of r taps from m + r - 1 products, by the construction of Toom and Cook with one point at infinity.
 *
 * @returns for each product its factors of the m + r - 1 inputs, of the taps, and of the outputs
 */
function minimalFilter(outputs: number, taps: number) {
  const count = outputs + taps - 1
  if (taps === 1) {
    const unit = (index: number) => Array.from({ length: count }, (_, position) => (position === index ? 1 : 0))
    return Array.from({ length: count }, (_, index) => ({ input: unit(index), kernel: [1], output: unit(index) }))
  }
  const finite = points.slice(0, count - 1)
  const powers = (point: number, length: number) => Array.from({ length }, (_, power) => point ** power)
  const last = (length: number) => Array.from({ length }, (_, index) => (index === length - 1 ? 1 : 0))
  return [
    ...finite.map((point, index) => {
      const others = finite.filter((_, position) => position !== index)
      const scale = others.reduce((product, other) => product * (point - other), 1)
      return {
        input: [...polynomial(others), 0],
        kernel: powers(point, taps).map((power) => power / scale),
        output: powers(point, outputs),
      }
    }),
    { input: polynomial(finite), kernel: last(taps), output: last(outputs) },
  ]
}

/**
 * The products that give a tile of outputs of a strided filter. A stride takes the taps apart into phases, each of which
 * is a dense filter on every stride-th input; the phases' products stand one after the other.
 *
 * @returns undefined where a phase would need more points than float32 bears
 */
export function frequenciesOf(tile: number, taps: number, stride: number): readonly Frequency[] | undefined {
  const frequencies: Frequency[] = []
  for (let phase = 0; phase < Math.min(stride, taps); phase++) {
    const own = Array.from({ length: Math.ceil((taps - phase) / stride) }, (_, index) => phase + index * stride)
    if (own.length > 1 && tile + own.length - 1 > mostPoints) return undefined
    for (const { input, kernel, output } of minimalFilter(tile, own.length)) {
      frequencies.push({
        input: new Map(input.map((factor, index) => [phase + index * stride, factor])),
        kernel: new Map(own.map((tap, index) => [tap, kernel[index] as number])),
        output,
      })
    }
  }
  return frequencies
}
