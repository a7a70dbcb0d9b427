import { stat } from "node:fs/promises"
import { availableParallelism } from "node:os"
import { LearnlossError, sizeOf } from "@learnloss/engine"
import { throwIfAborted } from "../training/interruption.ts"
import { decodeInput, type Preprocessing, valueTable, writePixels } from "./decode-input.ts"
import type { CacheEntry, FeatureCache, RowHandle } from "./feature-cache.ts"
import type { FrozenNetwork } from "./frozen-network.ts"
import type { ImageFile } from "./image-files.ts"
import { inOrder } from "./in-order.ts"
import { batchShape } from "./network-input.ts"

/** An image that cannot be used, and why. */
export interface ImageDefect {
  readonly image: ImageFile
  readonly reason: string
}

export interface ExtractOptions {
  readonly images: readonly ImageFile[]
  readonly cache: FeatureCache
  /** Opened when the first image is not in the cache. */
  readonly openNetwork: () => Promise<FrozenNetwork>
  readonly preprocessing: Preprocessing
  readonly signal: AbortSignal
  readonly onDefect: (defect: ImageDefect) => void
  /** Images whose features are known, and all of them. */
  readonly onProgress: (done: number, total: number) => void
}

/** Files that are asked for their size and time at once. */
const statsAtOnce = 64
/** Decoded images that may wait for the network, in bytes; a few are always allowed. */
const waitingBytes = 64 * 2 ** 20

/**
 * Computes the features of images that the cache does not have. Images are decoded while the network runs on those before
 * them; no more than a fixed amount waits in memory, and each batch is on disk before the next one counts.
 *
 * @returns the row of each image in the cache; undefined for those that cannot be used
 * @throws LearnlossError `INTERRUPTED`, `FILE_NOT_WRITTEN`; what was computed before is kept
 */
export async function extractFeatures(options: ExtractOptions): Promise<(RowHandle | undefined)[]> {
  const { images, cache, preprocessing, signal, onDefect, onProgress } = options
  const entries = await entriesOf(images, onDefect)
  const handles = entries.map((entry) => (entry === undefined ? undefined : cache.find(entry)))
  const waiting = handles.flatMap((handle, position) =>
    handle === undefined && entries[position] !== undefined ? [position] : [],
  )
  let done = images.length - waiting.length
  onProgress(done, images.length)
  if (waiting.length === 0) return handles

  const network = await options.openNetwork()
  const table = valueTable(preprocessing)
  const imageValues = sizeOf(batchShape(preprocessing, 1))
  const ahead = Math.min(
    2 * network.batch + availableParallelism(),
    Math.max(4, Math.floor(waitingBytes / imageValues)),
  )
  const decode = (position: number) => decodeInput((images[position] as ImageFile).path, preprocessing)
  let running: { readonly rows: Promise<Float32Array>; readonly positions: readonly number[] } | undefined
  const finish = async () => {
    if (running === undefined) return
    const { rows, positions } = running
    running = undefined
    cache.append(
      positions.map((position) => entries[position] as CacheEntry),
      await rows,
    )
    for (const position of positions) handles[position] = cache.find(entries[position] as CacheEntry)
    done += positions.length
    onProgress(done, images.length)
  }
  try {
    let filled: number[] = []
    const flush = async () => {
      await finish()
      throwIfAborted(signal, "computing features")
      if (filled.length > 0) running = { rows: network.run(filled.length), positions: filled }
      // Whoever awaits the rows gets the error; until then it must not end the process.
      running?.rows.catch(() => {})
      filled = []
    }
    for await (const { item: position, result } of inOrder(waiting, decode, ahead)) {
      if (result instanceof Error) {
        onDefect({ image: images[position] as ImageFile, reason: reasonOf(result) })
        onProgress(++done, images.length)
        continue
      }
      writePixels(result, preprocessing, table, network.input, filled.length * imageValues)
      filled.push(position)
      if (filled.length === network.batch) await flush()
    }
    await flush()
    await finish()
  } finally {
    await running?.rows.catch(() => {})
    await network.release()
  }
  return handles
}

/** Size and time of change of each file, which a row belongs to as well. */
async function entriesOf(
  images: readonly ImageFile[],
  onDefect: ExtractOptions["onDefect"],
): Promise<(CacheEntry | undefined)[]> {
  const entries: (CacheEntry | undefined)[] = []
  const read = ({ path }: ImageFile) => stat(path, { bigint: true })
  for await (const { item: image, result } of inOrder(images, read, statsAtOnce)) {
    if (result instanceof Error) {
      onDefect({ image, reason: result.message })
      entries.push(undefined)
    } else entries.push({ key: image.realPath, stamp: `${result.size}-${result.mtimeNs}` })
  }
  return entries
}

function reasonOf(error: Error): string {
  return error instanceof LearnlossError
    ? `expected ${error.details.expected}, got ${error.details.got}`
    : error.message
}
