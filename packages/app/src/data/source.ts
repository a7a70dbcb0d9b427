import { LearnlossError } from "@learnloss/engine"

/** A file that a fetched data set consists of, and what tells that it is whole. */
export interface DataFile {
  /** As it is stored, e.g. `train-images-idx3-ubyte.gz`. */
  readonly name: string
  /** Of the decompressed content, since mirrors compress differently. */
  readonly sha256?: string
  /** Length of the content as stored. */
  readonly bytes?: number
}

/** What fetching tells whoever watches it. */
export type FetchEvent =
  | { readonly type: "trying"; readonly source: string }
  | { readonly type: "failed"; readonly source: string; readonly reason: string }
  /** A step that has no bytes to count, e.g. `unpacking`. */
  | { readonly type: "step"; readonly text: string }
  | { readonly type: "bytes"; readonly file: string; readonly done: number; readonly total: number | undefined }

export interface SourceRequest {
  /** Where the files go; exists. */
  readonly folder: string
  /** Those that are not there yet, or not whole. */
  readonly files: readonly DataFile[]
  readonly onProgress: (event: FetchEvent) => void
  readonly signal: AbortSignal
}

/** A place that a data set can be had from. */
export interface DataSource {
  /** For messages, e.g. `the official address`. */
  readonly label: string
  /**
   * Puts verified files into the folder, each under its name only once it is whole.
   *
   * @throws LearnlossError `SOURCE_FAILED` when this place does not give them; the next one is tried then.
   */
  obtain(request: SourceRequest): Promise<void>
}

/** What a source ends with that does not give the data. */
export function sourceFailed(where: string, expected: string, got: string, cause?: unknown): LearnlossError {
  return new LearnlossError("SOURCE_FAILED", { where, expected, got, cause })
}
