import type { DefectPolicy, TaskName } from "@learnloss/contract"
import type { Rng } from "@learnloss/engine"
import type { AnyDataset } from "./dataset.ts"

/** Something found among the data that a person should know of. */
export interface DataDefect {
  readonly file: string
  /** What is wrong, e.g. `no image: .txt files are left out`. */
  readonly reason: string
  /** True when the data cannot be used before it is mended; the reader then throws after it has told all defects. */
  readonly isFatal: boolean
}

export interface ReadOptions {
  /**
   * What is to be learned from formats that hold labels for several tasks: boxes or people; default people where objects
   * have joints, all the same, else boxes.
   */
  readonly task?: TaskName | undefined
  /** Side in pixels that images of a folder are brought to; data sets of a fixed size ignore it. */
  readonly imageSize: number
  /** Draws the split of an image folder and the images of `shapes`. */
  readonly rng: Rng
  /** Called as images are decoded or drawn. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  /** Called for every file that was left out or cannot be used, before anything is thrown. */
  readonly onDefect?: ((defect: DataDefect) => void) | undefined
  /** What to do about annotations that are defective, default `skip`: go on without them, or stop before training. */
  readonly defects?: DefectPolicy | undefined
  /**
   * Decodes every image file that is otherwise only opened, since what is damaged is a defect and must not end training
   * hours later; images that are decoded anyway take no notice. Default false.
   */
  readonly decodes?: boolean | undefined
  /** Takes data of which a split is empty, for whoever looks at the other one. Default false. */
  readonly mayLackSplit?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  /** Folders in which data sets are looked for when no path is given, first hit wins; default `dataPlaces()`. */
  readonly places?: readonly string[] | undefined
}

/** Reads one format; `path` is what stood after the colon. */
export type DatasetReader = (path: string | undefined, options: ReadOptions) => Promise<AnyDataset>
