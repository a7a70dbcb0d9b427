import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import { LearnlossError } from "../errors.ts"

/** The calls that an atomic write makes, so that tests can let a disk run full at any of them. */
export interface FileOperations {
  open(path: string): number
  write(descriptor: number, bytes: Uint8Array, offset: number): number
  sync(descriptor: number): void
  close(descriptor: number): void
  rename(from: string, to: string): void
}

export const nodeFileOperations: FileOperations = {
  open: (path) => openSync(path, "w"),
  write: (descriptor, bytes, offset) => writeSync(descriptor, bytes, offset),
  sync: fsyncSync,
  close: closeSync,
  rename: renameSync,
}

/**
 * Writes a whole file so that a reader, or a kill at any moment, sees either the old content or the new.
 * Missing parent folders are made.
 *
 * @throws LearnlossError `FILE_NOT_WRITTEN` when the disk is full or the place cannot be written; the old content stays.
 */
export function atomicWrite(
  path: string,
  content: string | Uint8Array | readonly Uint8Array[],
  operations: FileOperations = nodeFileOperations,
): void {
  const parts: readonly Uint8Array[] =
    typeof content === "string" ? [Buffer.from(content)] : content instanceof Uint8Array ? [content] : content
  const temporary = `${path}.partial-${process.pid}`
  try {
    mkdirSync(dirname(path), { recursive: true })
    const descriptor = operations.open(temporary)
    try {
      for (const part of parts) {
        let offset = 0
        while (offset < part.byteLength) offset += operations.write(descriptor, part, offset)
      }
      operations.sync(descriptor)
    } finally {
      operations.close(descriptor)
    }
    operations.rename(temporary, path)
  } catch (error) {
    try {
      rmSync(temporary, { force: true })
    } catch {
      // Where the parent is no folder there is nothing to remove, and that is not what went wrong.
    }
    const reason = error instanceof Error ? error.message : String(error)
    throw new LearnlossError("FILE_NOT_WRITTEN", {
      where: path,
      expected: "to write this file",
      got: reason,
      fix: "Free some space or choose another folder; what was there before is unchanged.",
      cause: error,
    })
  }
}
