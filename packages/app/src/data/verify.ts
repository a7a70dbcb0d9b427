import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { open, rename, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import { createGunzip } from "node:zlib"
import type { DataFile } from "./source.ts"
import { sourceFailed } from "./source.ts"

/** Digest of a file's bytes as hexadecimal; gzip is decompressed first when `isContent` is set. */
export async function digestFile(
  path: string,
  algorithm: "md5" | "sha256",
  isContent: boolean,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash(algorithm)
  const options = signal === undefined ? {} : { signal }
  const input = createReadStream(path)
  if (isContent && (await startsLikeGzip(path))) await pipeline(input, createGunzip(), hash, options)
  else await pipeline(input, hash, options)
  return hash.digest("hex")
}

/** What is wrong with a file, or undefined when it is whole. */
export async function findFault(path: string, file: DataFile, signal?: AbortSignal): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return "no such file"
  if (file.bytes !== undefined && found.size !== file.bytes) return `${found.size} bytes instead of ${file.bytes}`
  if (file.sha256 === undefined) return undefined
  try {
    const digest = await digestFile(path, "sha256", true, signal)
    return digest === file.sha256 ? undefined : `SHA-256 ${digest} instead of ${file.sha256}`
  } catch (error) {
    signal?.throwIfAborted()
    return error instanceof Error ? error.message : String(error)
  }
}

/** The given files that a folder lacks or has damaged. */
export async function findMissing(
  folder: string,
  files: readonly DataFile[],
  signal?: AbortSignal,
): Promise<DataFile[]> {
  const missing: DataFile[] = []
  for (const file of files) {
    if ((await findFault(join(folder, file.name), file, signal)) !== undefined) missing.push(file)
  }
  return missing
}

/**
 * Gives a file its final name once it is whole; a damaged one is deleted.
 *
 * @throws LearnlossError `SOURCE_FAILED` when it is not what it should be.
 */
export async function install(temporary: string, folder: string, file: DataFile, signal?: AbortSignal): Promise<void> {
  const fault = await findFault(temporary, file, signal)
  if (fault !== undefined) {
    await rm(temporary, { force: true })
    throw sourceFailed(file.name, "the published checksum", fault)
  }
  const handle = await open(temporary, "r+")
  await handle.sync()
  await handle.close()
  await rename(temporary, join(folder, file.name))
}

async function startsLikeGzip(path: string): Promise<boolean> {
  const handle = await open(path)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0)
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b
  } finally {
    await handle.close()
  }
}
