import { readFileSync, statSync } from "node:fs"
import { type FileOperations, LearnlossError } from "@learnloss/engine"

/** What one row belongs to: the sample's key, and what tells whether its source has changed since. */
export interface CacheEntry {
  readonly key: string
  readonly stamp: string
}

export const rowsSuffix = ".rows"
export const indexSuffix = ".index"

/**
 * The entries of a segment whose rows are whole on disk. A process that was killed leaves at most a line or a row that is
 * cut off, and a line is only written after its row, so what is cut off is left out here and nothing else is lost.
 */
export function readEntries(path: string, rowBytes: number): CacheEntry[] {
  const text = readFileSync(path + indexSuffix, "utf8")
  const lines = text.split("\n").slice(0, -1)
  const rows = Math.floor(statSync(path + rowsSuffix).size / rowBytes)
  const entries: CacheEntry[] = []
  for (const line of lines.slice(0, rows)) {
    const entry = parseEntry(line)
    if (entry === undefined) break
    entries.push(entry)
  }
  return entries
}

/** Undefined for what a machine that lost its power may leave behind. */
function parseEntry(line: string): CacheEntry | undefined {
  try {
    const [key, stamp] = JSON.parse(line) as [unknown, unknown]
    return typeof key === "string" && typeof stamp === "string" ? { key, stamp } : undefined
  } catch {
    return undefined
  }
}

/** A segment that this process appends to. */
export class SegmentWriter {
  readonly #rows: number
  readonly #index: number
  readonly #path: string
  readonly #operations: FileOperations
  #count = 0

  constructor(path: string, operations: FileOperations) {
    this.#path = path
    this.#operations = operations
    this.#rows = this.#attempt(() => operations.open(path + rowsSuffix))
    try {
      this.#index = this.#attempt(() => operations.open(path + indexSuffix))
    } catch (error) {
      operations.close(this.#rows)
      throw error
    }
  }

  /**
   * Appends rows, then the lines that make them count.
   *
   * @returns number of the first row
   * @throws LearnlossError `FILE_NOT_WRITTEN`; the segment must not be written to again
   */
  append(entries: readonly CacheEntry[], rows: Float32Array): number {
    const lines = entries.map(({ key, stamp }) => `${JSON.stringify([key, stamp])}\n`).join("")
    this.#attempt(() => {
      writeWhole(this.#operations, this.#rows, new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength))
      this.#operations.sync(this.#rows)
      writeWhole(this.#operations, this.#index, Buffer.from(lines))
    })
    const first = this.#count
    this.#count += entries.length
    return first
  }

  close(): void {
    this.#operations.close(this.#rows)
    this.#operations.close(this.#index)
  }

  #attempt<T>(action: () => T): T {
    try {
      return action()
    } catch (error) {
      throw new LearnlossError("FILE_NOT_WRITTEN", {
        where: this.#path + rowsSuffix,
        expected: "to write features to the cache",
        got: error instanceof Error ? error.message : String(error),
        fix: "Free some space or set LEARNLOSS_CACHE to another folder; the features written so far are kept.",
        cause: error,
      })
    }
  }
}

function writeWhole(operations: FileOperations, descriptor: number, bytes: Uint8Array): void {
  let offset = 0
  while (offset < bytes.byteLength) offset += operations.write(descriptor, bytes, offset)
}
