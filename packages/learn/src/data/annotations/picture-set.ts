import type { PictureSet } from "../dataset.ts"

/** A sample whose picture is a file. */
export interface FileSample<Target> {
  readonly id: string
  readonly target: Target
  readonly path: string
}

/** Means and deviations of ImageNet's channels, which networks for photographs are fed with; nothing is measured. */
export const photoNormalization = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const

/** A split of samples whose pictures stay in their files. */
export function pictureSet<Target>(samples: readonly FileSample<Target>[]): PictureSet<Target> {
  return {
    ids: samples.map(({ id }) => id),
    targets: samples.map(({ target }) => target),
    picture(position) {
      const sample = samples[position]
      if (sample !== undefined) return sample.path
      throw new RangeError(`position ${position} is outside a split of ${samples.length} samples`)
    },
  }
}
