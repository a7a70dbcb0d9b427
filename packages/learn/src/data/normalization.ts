import { LearnlossError } from "@learnloss/engine"
import type { Dataset, ImageShape, SampleSet } from "./dataset.ts"

type Normalization = Dataset<unknown>["normalization"]

/** Mean and standard deviation of each channel over all pixels of a split, of pixels scaled to 0..1. */
export function measureNormalization(samples: SampleSet<unknown>, shape: ImageShape): Normalization {
  const pixels = shape.height * shape.width
  const mean: number[] = []
  const std: number[] = []
  for (let channel = 0; channel < shape.channels; channel++) {
    const histogram = new Float64Array(256)
    for (let position = 0; position < samples.ids.length; position++) {
      const plane = samples.image(position).subarray(channel * pixels, (channel + 1) * pixels)
      for (let pixel = 0; pixel < pixels; pixel++) {
        const value = plane[pixel] as number
        histogram[value] = (histogram[value] as number) + 1
      }
    }
    const count = samples.ids.length * pixels
    const average = histogram.reduce((sum, times, value) => sum + times * value, 0) / count
    const variance = histogram.reduce((sum, times, value) => sum + times * (value - average) ** 2, 0) / count
    mean.push(average / 255)
    // A channel of one single value would divide by zero.
    std.push(variance > 0 ? Math.sqrt(variance) / 255 : 1)
  }
  return { mean, std }
}

/**
 * Means and deviations as a person gives them, one value for all channels or one for each, as one for each.
 *
 * @throws LearnlossError `NORMALIZATION` for a number of values that does not fit, and for deviations that are not above 0
 */
export function normalizationPerChannel({ mean, std }: Normalization, channels: number): Normalization {
  const given = { mean: perChannel("--mean", mean, channels), std: perChannel("--std", std, channels) }
  if (given.std.some((value) => !(value > 0))) throw unfit("--std", "values above 0", given.std.join(","))
  return given
}

function perChannel(option: string, values: readonly number[], channels: number): number[] {
  if (values.length === 1) return new Array<number>(channels).fill(values[0] as number)
  if (values.length === channels) return [...values]
  const expected = channels === 1 ? "one value" : `one value or ${channels === 3 ? "three" : channels}`
  throw unfit(option, expected, `${values.length}`)
}

function unfit(where: string, expected: string, got: string): LearnlossError {
  return new LearnlossError("NORMALIZATION", {
    where,
    expected,
    got,
    fix: "Give what the network was trained with, for pixels scaled to 0..1.",
  })
}

/** Normalised value of every pixel value: [C, 256] float32, entry [c, v] = (v/255 - mean[c]) / std[c]. */
export function normalizationTable(normalization: Normalization): Float32Array {
  const { mean, std } = normalization
  const table = new Float32Array(256 * mean.length)
  for (const [channel, average] of mean.entries()) {
    for (let value = 0; value < 256; value++) {
      table[channel * 256 + value] = (value / 255 - average) / (std[channel] as number)
    }
  }
  return table
}
