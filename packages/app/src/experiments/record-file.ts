import { readFileSync } from "node:fs"
import { atomicWrite, type FileOperations, InternalError, LearnlossError } from "@learnloss/engine"

/** The part of a zod schema that a record file needs. */
export interface RecordSchema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: { message: string } }
}

/** A file of one JSON record a line, of which a kill at any moment leaves whole lines only. */
export interface RecordFile<T> {
  readonly path: string
  readonly records: readonly T[]
  /** Adds one line; when writing fails, file and records stay as they were. */
  append(record: T): void
  /** Drops the records that do not count any more; the others keep their bytes. */
  keep(counts: (record: T, index: number) => boolean): void
  /** Puts the records in an order; each keeps its bytes. */
  sort(compare: (a: T, b: T) => number): void
}

/**
 * Opens a record file; a missing one is empty and is made by the first append.
 *
 * @throws LearnlossError `RUN_FILE_INVALID` naming the line that cannot be read.
 */
export function openRecordFile<T>(path: string, schema: RecordSchema<T>, operations?: FileOperations): RecordFile<T> {
  let lines = readLines(path).map((text, index) => ({
    text,
    record: parseLine(schema, text, `${path} line ${index + 1}`),
  }))

  function replace(next: typeof lines): void {
    atomicWrite(path, next.map(({ text }) => `${text}\n`).join(""), operations)
    lines = next
  }

  return {
    path,
    get records() {
      return lines.map(({ record }) => record)
    },
    append(record) {
      const checked = schema.safeParse(record)
      // JSON would turn NaN into null without a word, and the next resume would fail on it.
      if (!checked.success) throw new InternalError(`a record for ${path} does not fit: ${checked.error.message}`)
      replace([...lines, { text: JSON.stringify(checked.data), record: checked.data }])
    },
    keep(counts) {
      const kept = lines.filter(({ record }, index) => counts(record, index))
      if (kept.length < lines.length) replace(kept)
    },
    sort(compare) {
      const sorted = lines.toSorted((a, b) => compare(a.record, b.record))
      if (sorted.some((line, index) => line !== lines[index])) replace(sorted)
    },
  }
}

function readLines(path: string): string[] {
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return []
    throw invalid(path, "a readable file", error instanceof Error ? error.message : String(error))
  }
  const lines = text.split("\n")
  if (lines.pop() !== "") throw invalid(`${path} line ${lines.length + 1}`, "a whole line", "one that breaks off")
  return lines
}

function parseLine<T>(schema: RecordSchema<T>, text: string, where: string): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalid(where, "JSON", error instanceof Error ? error.message : String(error))
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw invalid(where, "a record as this version of learnloss writes it", parsed.error.message.replaceAll(/\s+/g, " "))
}

function invalid(where: string, expected: string, got: string): LearnlossError {
  const fix = "Restore the file from a copy, or start the run anew in another folder."
  return new LearnlossError("RUN_FILE_INVALID", { where, expected, got, fix })
}
