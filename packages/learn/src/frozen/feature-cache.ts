import { createHash, randomBytes } from "node:crypto"
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from "node:fs"
import { join } from "node:path"
import { atomicWrite, cacheFolder, type FileOperations, LearnlossError, nodeFileOperations } from "@learnloss/engine"
import { type CacheEntry, indexSuffix, readEntries, rowsSuffix, SegmentWriter } from "./cache-segment.ts"

export type { CacheEntry } from "./cache-segment.ts"

/** Says where a row is; only the cache that gave it can read it. */
export type RowHandle = number

/** Rows of a segment are numbered below this, so that a handle stays an exact integer. */
const handlesPerSegment = 2 ** 32

const aboutFile = "about.json"

/** Folder that feature caches are kept in: `features` below `$LEARNLOSS_CACHE`, else below `~/.cache/learnloss`. */
export function featureCacheRoot(environment: NodeJS.ProcessEnv = process.env): string {
  return join(cacheFolder(environment), "features")
}

/** The folder below a root for features that are made in one way; `about` holds everything they depend on. */
export function featureCacheFolder(root: string, about: object): string {
  return join(root, createHash("sha256").update(JSON.stringify(about)).digest("hex").slice(0, 32))
}

/** Caches below this go unmentioned. */
const noticedBytes = 2 ** 30

/** Tells where a cache is kept that may become large; undefined for one that stays small. */
export function largeCacheNotice(rows: number, width: number, root: string): string | undefined {
  const bytes = rows * width * Float32Array.BYTES_PER_ELEMENT
  if (bytes <= noticedBytes) return undefined
  const size = (bytes / 2 ** 30).toFixed(1)
  return `Features are kept in ${root}: up to ${size} GiB for these images. $LEARNLOSS_CACHE names another folder; what is in it may be deleted at any time.`
}

/**
 * Rows of float32 of one width, by key, on disk; in memory are only the keys.
 *
 * Each process appends to a segment of its own, so processes that share a folder cannot spoil each other's rows; at worst
 * both compute the same ones. A segment is never changed once its process is gone: what a kill cut off is left out when
 * it is read.
 */
export class FeatureCache {
  readonly folder: string
  readonly width: number
  readonly #operations: FileOperations
  readonly #handles = new Map<string, RowHandle>()
  readonly #readers: number[] = []
  #writer: { readonly segment: number; readonly file: SegmentWriter } | undefined

  private constructor(folder: string, width: number, operations: FileOperations) {
    this.folder = folder
    this.width = width
    this.#operations = operations
  }

  /**
   * Opens a folder's cache, which need not exist.
   *
   * @param about what the features depend on, written beside them for people
   * @throws LearnlossError `FEATURE_CACHE_BROKEN`, `FILE_NOT_WRITTEN`
   */
  static open(
    folder: string,
    { width, about, operations = nodeFileOperations }: { width: number; about: object; operations?: FileOperations },
  ): FeatureCache {
    const cache = new FeatureCache(folder, width, operations)
    const aboutPath = join(folder, aboutFile)
    if (existsSync(aboutPath)) requireWidth(aboutPath, width)
    else atomicWrite(aboutPath, `${JSON.stringify({ width, ...about }, null, 2)}\n`, operations)
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name.slice(0, -indexSuffix.length))
      if (name.endsWith(indexSuffix) && existsSync(path + rowsSuffix)) cache.#addSegment(path)
    }
    return cache
  }

  /** Rows that can be read. */
  get size(): number {
    return this.#handles.size
  }

  /** The row of a key, unless its source has changed. */
  find({ key, stamp }: CacheEntry): RowHandle | undefined {
    return this.#handles.get(nameOf(key, stamp))
  }

  /**
   * Adds rows, one for each entry; they are on disk when this returns.
   *
   * @param rows [entries, width]
   * @throws LearnlossError `FILE_NOT_WRITTEN` when the disk is full; everything added before stays
   */
  append(entries: readonly CacheEntry[], rows: Float32Array): void {
    if (entries.length === 0) return
    const writer = this.#writer ?? this.#startSegment()
    // A segment that could not be written to its end is left alone; what is in order in it still counts.
    this.#writer = undefined
    const first = writer.file.append(entries, rows.subarray(0, entries.length * this.width))
    this.#writer = writer
    for (const [index, { key, stamp }] of entries.entries()) {
      this.#handles.set(nameOf(key, stamp), writer.segment * handlesPerSegment + first + index)
    }
  }

  /**
   * Reads rows one after the other into the given memory.
   *
   * @param into at least [handles, width]
   * @throws LearnlossError `FEATURE_CACHE_BROKEN` when rows that were there are gone
   */
  read(handles: readonly RowHandle[], into: Float32Array): void {
    const rowBytes = this.width * Float32Array.BYTES_PER_ELEMENT
    for (let start = 0; start < handles.length; ) {
      const first = handles[start] as RowHandle
      let end = start + 1
      while (end < handles.length && handles[end] === first + end - start) end++
      const bytes = new Uint8Array(into.buffer, into.byteOffset + start * rowBytes, (end - start) * rowBytes)
      this.#readAt(Math.floor(first / handlesPerSegment), (first % handlesPerSegment) * rowBytes, bytes)
      start = end
    }
  }

  close(): void {
    this.#writer?.file.close()
    this.#writer = undefined
    for (const descriptor of this.#readers) closeSync(descriptor)
    this.#readers.length = 0
  }

  #readAt(segment: number, position: number, bytes: Uint8Array): void {
    let done = 0
    while (done < bytes.byteLength) {
      const count = readSync(this.#readers[segment] as number, bytes, done, bytes.byteLength - done, position + done)
      if (count === 0) throw broken(this.folder, "the rows that were there", "a file that was cut off")
      done += count
    }
  }

  #addSegment(path: string): void {
    const segment = this.#readers.push(openSync(path + rowsSuffix, "r")) - 1
    for (const [row, { key, stamp }] of readEntries(path, this.width * Float32Array.BYTES_PER_ELEMENT).entries()) {
      this.#handles.set(nameOf(key, stamp), segment * handlesPerSegment + row)
    }
  }

  #startSegment() {
    const path = join(this.folder, `${Date.now().toString(36)}-${process.pid}-${randomBytes(4).toString("hex")}`)
    const file = new SegmentWriter(path, this.#operations)
    const segment = this.#readers.push(openSync(path + rowsSuffix, "r")) - 1
    return { segment, file }
  }
}

function nameOf(key: string, stamp: string): string {
  return `${stamp} ${key}`
}

function requireWidth(path: string, width: number): void {
  let found: unknown
  try {
    found = (JSON.parse(readFileSync(path, "utf8")) as { width?: unknown }).width
  } catch (error) {
    throw broken(path, "a file that learnloss wrote", error instanceof Error ? error.message : String(error))
  }
  if (found !== width) throw broken(path, `features of width ${width}`, `width ${String(found)}`)
}

function broken(where: string, expected: string, got: string): LearnlossError {
  return new LearnlossError("FEATURE_CACHE_BROKEN", {
    where,
    expected,
    got,
    fix: "Delete this cache's folder; its features are computed anew.",
  })
}
