import { readFile } from "node:fs/promises"
import { promisify } from "node:util"
import { gunzip } from "node:zlib"
import { LearnlossError } from "@learnloss/engine"

/** Far above any file of the formats read here, and low enough that a decompression bomb cannot fill the memory. */
const maximumBytes = 2 ** 30

const gunzipAsync = promisify(gunzip)

/**
 * Reads a whole file, decompressed when it starts as gzip does, whatever its name ends in.
 *
 * @throws LearnlossError `FILE_NOT_READ` when it cannot be opened, `BAD_GZIP` when it does not decompress.
 */
export async function readBytes(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new LearnlossError("FILE_NOT_READ", {
      where: path,
      expected: "a readable file",
      got: error.code === "ENOENT" ? "no such file" : error.message,
      fix: "Check the path and its permissions.",
      cause: error,
    })
  })
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    return await gunzipAsync(bytes, { maxOutputLength: maximumBytes })
  } catch (error) {
    throw new LearnlossError("BAD_GZIP", {
      where: path,
      expected: "a whole gzip file",
      got: `${bytes.length} bytes that do not decompress (${error instanceof Error ? error.message : String(error)})`,
      fix: "The file is damaged or was cut off: fetch it again.",
      cause: error,
    })
  }
}
