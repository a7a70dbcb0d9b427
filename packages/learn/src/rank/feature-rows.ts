/** Features of samples, read row by row from wherever they lie; never all in memory. */
export interface FeatureRows {
  readonly count: number
  /** Features of a row. */
  readonly width: number
  /**
   * Reads rows one after the other.
   *
   * @param into at least [positions, width]
   */
  read(positions: readonly number[], into: Float32Array): void
}

/** Mean and inverse deviation of each feature: what makes features of any scale alike. */
export interface Scaling {
  readonly mean: Float64Array
  /** Zero for a feature that is the same everywhere. */
  readonly factor: Float64Array
}

/** Rows that are read at once. */
const chunk = 256

/** Standardised features are held within this: a single odd value must not decide a score. */
const limit = 10

/** Measures mean and deviation of each feature over the given rows, in one pass. */
export function measureScaling(rows: FeatureRows, positions: readonly number[]): Scaling {
  const { width } = rows
  const mean = new Float64Array(width)
  const squares = new Float64Array(width)
  const part = new Float32Array(chunk * width)
  let seen = 0
  for (let start = 0; start < positions.length; start += chunk) {
    const some = positions.slice(start, start + chunk)
    rows.read(some, part)
    for (let row = 0; row < some.length; row++) {
      seen++
      for (let column = 0; column < width; column++) {
        // Welford's update: no large sums whose difference would lose digits.
        const value = part[row * width + column] as number
        const difference = value - (mean[column] as number)
        const next = (mean[column] as number) + difference / seen
        mean[column] = next
        squares[column] = (squares[column] as number) + difference * (value - next)
      }
    }
  }
  const factor = squares.map((sum, column) => {
    const deviation = Math.sqrt(sum / Math.max(1, seen))
    const isConstant = !(deviation > 1e-6 * Math.abs(mean[column] as number)) || deviation < 1e-12
    return isConstant ? 0 : 1 / deviation
  })
  return { mean, factor }
}

/** Rows up to this many bytes are kept in memory once they were read; beyond it they are read again each time. */
const mostBytesKept = 128 * 2 ** 20

/**
 * The rows with mean 0 and deviation 1. Where the given positions fit into a fixed amount of memory their rows are kept
 * there, and only they may be read then.
 */
export function standardized(rows: FeatureRows, scaling: Scaling, kept: readonly number[] = []): FeatureRows {
  const { count, width } = rows
  const direct: FeatureRows = {
    count,
    width,
    read(positions, into) {
      rows.read(positions, into)
      standardize(into.subarray(0, positions.length * width), scaling)
    },
  }
  if (kept.length === 0 || kept.length * width * Float32Array.BYTES_PER_ELEMENT > mostBytesKept) return direct
  const data = new Float32Array(kept.length * width)
  direct.read(kept, data)
  const placeOf = new Map(kept.map((position, place) => [position, place]))
  return {
    count,
    width,
    read(positions, into) {
      for (const [index, position] of positions.entries()) {
        const from = (placeOf.get(position) as number) * width
        into.set(data.subarray(from, from + width), index * width)
      }
    },
  }
}

function standardize(rows: Float32Array, { mean, factor }: Scaling): void {
  const width = mean.length
  for (let start = 0; start < rows.length; start += width) {
    for (let column = 0; column < width; column++) {
      const scale = factor[column] as number
      const value = scale === 0 ? 0 : ((rows[start + column] as number) - (mean[column] as number)) * scale
      rows[start + column] = value > limit ? limit : value < -limit ? -limit : value
    }
  }
}
