import { type FileHandle, open, stat, truncate } from "node:fs/promises"
import { LearnlossError } from "@learnloss/engine"
import { sourceFailed } from "./source.ts"
import { createWatchdog, type Watchdog } from "./watchdog.ts"

export interface DownloadOptions {
  readonly signal: AbortSignal
  /** Until the answer's header is there. */
  readonly connectMs?: number
  /** Between one piece and the next. */
  readonly idleMs?: number
  readonly onBytes?: (done: number, total: number | undefined) => void
}

/** Together, all that a silent host costs. */
export const defaultPatience = { connectMs: 5000, idleMs: 4500 } as const

/** A host that sends less than this in `idleMs` counts as silent. */
const leastBytes = 1024

/**
 * Downloads into a file, going on behind what it already holds when the server can. What was received stays when the
 * download fails, for the next attempt.
 *
 * @returns true when earlier content was continued, so that it may not fit.
 * @throws LearnlossError `SOURCE_FAILED` for a host that is unreachable, silent, breaks off or answers with an error.
 */
export async function download(url: string, path: string, options: DownloadOptions): Promise<boolean> {
  const { signal, connectMs = defaultPatience.connectMs, idleMs = defaultPatience.idleMs } = options
  signal.throwIfAborted()
  const present = await sizeOf(path)
  const watchdog = createWatchdog()
  watchdog.expect(connectMs)
  try {
    const response = await fetch(url, {
      headers: { "accept-encoding": "identity", ...(present > 0 ? { range: `bytes=${present}-` } : {}) },
      signal: AbortSignal.any([signal, watchdog.signal]),
    })
    if (response.status === 416 && present > 0) return await settleRange(url, path, options, response, present)
    const isContinued = response.status === 206 && startOf(response) === present
    if (!isContinued && response.status !== 200) {
      await response.body?.cancel()
      throw sourceFailed(url, "the file", `HTTP ${response.status} ${response.statusText}`.trim())
    }
    await receive(response, path, isContinued ? present : 0, { ...options, idleMs }, watchdog)
    return isContinued
  } catch (error) {
    signal.throwIfAborted()
    if (watchdog.signal.aborted)
      throw sourceFailed(url, "an answer", `silence for ${watchdog.waitedMs / 1000} s`, error)
    if (error instanceof LearnlossError) throw error
    throw sourceFailed(url, "the file", describe(error), error)
  } finally {
    watchdog.stop()
  }
}

/** The server has nothing behind what is there: either that is all, or it is of another file. */
async function settleRange(
  url: string,
  path: string,
  options: DownloadOptions,
  response: Response,
  present: number,
): Promise<boolean> {
  await response.body?.cancel()
  if (response.headers.get("content-range") === `bytes */${present}`) {
    options.onBytes?.(present, present)
    return true
  }
  await truncate(path)
  return await download(url, path, options)
}

async function receive(
  response: Response,
  path: string,
  start: number,
  options: DownloadOptions & { readonly idleMs: number },
  watchdog: Watchdog,
): Promise<void> {
  const total = totalOf(response, start)
  let done = start
  let unseen = 0
  const handle = await open(path, start > 0 ? "a" : "w")
  try {
    options.onBytes?.(done, total)
    watchdog.expect(options.idleMs)
    for await (const piece of response.body ?? []) {
      await writePiece(handle, path, piece)
      done += piece.length
      unseen += piece.length
      if (unseen >= leastBytes) {
        watchdog.expect(options.idleMs)
        unseen = 0
      }
      options.onBytes?.(done, total)
    }
  } finally {
    await handle.close()
  }
  if (total !== undefined && done < total) {
    throw sourceFailed(response.url, `${total} bytes`, `the connection closed after ${done}`)
  }
}

async function writePiece(handle: FileHandle, path: string, piece: Uint8Array): Promise<void> {
  try {
    await handle.writeFile(piece)
  } catch (error) {
    throw new LearnlossError("FILE_NOT_WRITTEN", {
      where: path,
      expected: "to write this file",
      got: error instanceof Error ? error.message : String(error),
      fix: "Free some space or set LEARNLOSS_DATA to another folder, then run the command again: it goes on where it was.",
      cause: error,
    })
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0
}

function startOf(response: Response): number | undefined {
  const match = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")
  return match === null ? undefined : Number(match[1])
}

/** The whole file's length; unknown when the server compresses what it sends. */
function totalOf(response: Response, start: number): number | undefined {
  const length = response.headers.get("content-length")
  return length === null || response.headers.has("content-encoding") ? undefined : start + Number(length)
}

/** `fetch` hides the reason, e.g. that a name is not known, in the cause. */
function describe(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (!(cause instanceof Error)) return String(cause)
  return cause.message || ("code" in cause ? String(cause.code) : cause.name)
}
