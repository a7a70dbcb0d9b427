import { LearnlossError } from "@learnloss/engine"
import type { DetectionTarget } from "./boxes.ts"
import type { PersonTarget, Skeleton } from "./people.ts"

/** Height, width and channel count of every image that a network takes, in pixels. */
export interface ImageShape {
  readonly channels: number
  readonly height: number
  readonly width: number
}

/** One split of a data set. Positions are only used inside a split; everywhere else a sample is named by its id. */
export interface Samples<Target> {
  /** Stable and unique over the whole data set, e.g. `train/00042` or a path relative to the image folder. */
  readonly ids: readonly string[]
  readonly targets: readonly Target[]
}

/** A split whose images are in memory, all of one shape. */
export interface SampleSet<Target> extends Samples<Target> {
  /** Pixels of one sample as planes [C, H, W], uint8 in 0..255; a view that must not be written to. */
  image(position: number): Uint8Array
}

/** An image of any size. */
export interface Picture {
  readonly width: number
  readonly height: number
  /** Interleaved RGB [H, W, 3], uint8. */
  readonly pixels: Uint8Array
}

/** Where a picture is to be had: the path of an image file, or its pixels. */
export type PictureSource = string | Picture

/** A split whose images are of any size; they are decoded when a batch needs them. */
export interface PictureSet<Target> extends Samples<Target> {
  picture(position: number): PictureSource
}

/** Names of the parts of a data set. */
export type SplitName = "train" | "test"

interface About {
  /** As given, e.g. `cifar10:some/folder`. */
  readonly name: string
  /** What the network is fed; pictures are brought to it. */
  readonly imageShape: ImageShape
  /** What the network tells apart: the classes, or of people the joints. */
  readonly classNames: readonly string[]
  /** Per channel, of pixels scaled to 0..1. */
  readonly normalization: { readonly mean: readonly number[]; readonly std: readonly number[] }
}

/** Labelled images that fit in memory. */
export interface Dataset<Target> extends About {
  readonly train: SampleSet<Target>
  readonly test: SampleSet<Target>
}

/** Labelled images that stay in their files until they are needed. */
export interface PictureDataset<Target> extends About {
  /** Of people only: what their joints are; its names are the `classNames`. */
  readonly skeleton?: Skeleton
  readonly train: PictureSet<Target>
  readonly test: PictureSet<Target>
}

/** Data of any task: only the task looks into targets. */
// biome-ignore lint/suspicious/noExplicitAny: targets of different tasks have nothing in common
export type AnyDataset = Dataset<any> | PictureDataset<any>

/** For classification a target is the class index. */
export type ClassificationDataset = Dataset<number>

/** For detection a target is all boxes of an image. */
export type DetectionDataset = PictureDataset<DetectionTarget>

/** For pose estimation a sample is one person, and its picture the whole image; people may share an image. */
export interface PoseDataset extends PictureDataset<PersonTarget> {
  readonly skeleton: Skeleton
}

/** Whether the images of some data stay in their files. */
// biome-ignore lint/suspicious/noExplicitAny: as `AnyDataset`
export function isPictures(dataset: AnyDataset): dataset is PictureDataset<any> {
  return "picture" in dataset.train
}

/**
 * Takes data of one class an image for what can do with no others.
 *
 * @throws LearnlossError `DATA_OF_ANOTHER_TASK`
 */
export function requireClassification(
  dataset: AnyDataset,
  what: string,
  fix = "Give a folder with a folder for each class (images:DIR); detectors are trained by `learnloss run`.",
): ClassificationDataset {
  if (!isPictures(dataset)) return dataset
  throw new LearnlossError("DATA_OF_ANOTHER_TASK", {
    where: dataset.name,
    expected: `images of one class each, which ${what} is for`,
    got: dataset.skeleton === undefined ? "images with boxes" : "people with joints",
    fix,
  })
}
