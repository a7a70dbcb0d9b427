/** Height, width and channel count of every image of a data set, in pixels. */
export interface ImageShape {
  readonly channels: number
  readonly height: number
  readonly width: number
}

/** One split of a data set. Positions are only used inside a split; everywhere else a sample is named by its id. */
export interface SampleSet<Target> {
  /** Stable and unique over the whole data set, e.g. `train/00042` or a path relative to the image folder. */
  readonly ids: readonly string[]
  readonly targets: readonly Target[]
  /** Pixels of one sample as planes [C, H, W], uint8 in 0..255; a view that must not be written to. */
  image(position: number): Uint8Array
}

/** Labelled images that fit in memory, all of one shape. */
export interface Dataset<Target> {
  /** As given, e.g. `cifar10:some/folder`. */
  readonly name: string
  readonly imageShape: ImageShape
  readonly classNames: readonly string[]
  /** Per channel, of pixels scaled to 0..1. */
  readonly normalization: { readonly mean: readonly number[]; readonly std: readonly number[] }
  readonly train: SampleSet<Target>
  readonly test: SampleSet<Target>
}

/** For classification a target is the class index. */
export type ClassificationDataset = Dataset<number>
