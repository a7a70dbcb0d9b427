import { createHash } from "node:crypto"
import {
  type CompiledModel,
  compileModel,
  type Device,
  floatTensor,
  runtimeVersion,
  sizeOf,
  type Tensor,
} from "@learnloss/engine"
import type { Dataset, SplitName } from "../data/dataset.ts"
import {
  type CacheEntry,
  FeatureCache,
  featureCacheFolder,
  featureCacheRoot,
  largeCacheNotice,
  type RowHandle,
} from "../frozen/feature-cache.ts"
import type { FrozenPart } from "../models/model.ts"
import type { Task } from "../tasks/task.ts"
import type { BatchMaker, Feeds } from "./batches.ts"

export interface FrozenBatchesOptions<Target> {
  readonly frozen: FrozenPart
  readonly dataset: Dataset<Target>
  readonly task: Task<Target>
  /** Makes batches of images. */
  readonly images: BatchMaker
  /** Whether training images are changed at random, so that nothing computed from them can be kept. */
  readonly isAugmented: boolean
  readonly threads: number
  readonly device: Device
  readonly cacheRoot?: string
}

/** Batches of what a frozen part of a network makes of images; must be released. */
export interface FrozenBatches extends BatchMaker {
  release(): Promise<void>
}

/** Images that a frozen part takes at once; the same for every call, so that no batch rounds in its own way. */
const usualBatch = 32

/** Raised when rows come to hold something else for the same network and images. */
const rowFormat = 1

/** Above this the outputs of a whole data set are computed again each time, not kept on disk. */
const largestCacheBytes = 32 * 2 ** 30

/**
 * Makes batches that a network with a frozen part is fed: its outputs are computed once for each image and kept on disk,
 * by the image's content; those of randomly changed images are computed as they come.
 */
export async function createFrozenBatches<Target>(options: FrozenBatchesOptions<Target>): Promise<FrozenBatches> {
  const { frozen, dataset, task, images, isAugmented, threads, device } = options
  const session = await compileModel(frozen.model, { threads, device })
  const part = new FrozenRows(frozen, session)
  const cache = openCache(options, part.width)
  const known = new Map<SplitName, Map<number, RowHandle>>()

  const compute = async (split: SplitName, positions: readonly number[]) =>
    part.compute(await images.evaluation(split, positions, false))

  const rowsOf = async (split: SplitName, positions: readonly number[]): Promise<Float32Array> => {
    if (cache === undefined) return compute(split, positions)
    const handles = known.get(split) ?? new Map<number, RowHandle>()
    known.set(split, handles)
    const missing = new Map<string, { position: number; entry: CacheEntry }>()
    for (const position of positions) {
      if (handles.has(position)) continue
      const entry = { key: createHash("sha256").update(dataset[split].image(position)).digest("hex"), stamp: "" }
      const handle = cache.find(entry)
      if (handle === undefined) missing.set(entry.key, { position, entry })
      else handles.set(position, handle)
    }
    const lacking = [...missing.values()]
    for (let start = 0; start < lacking.length; start += part.batch) {
      const chunk = lacking.slice(start, start + part.batch)
      const rows = await compute(
        split,
        chunk.map(({ position }) => position),
      )
      cache.append(
        chunk.map(({ entry }) => entry),
        rows,
      )
    }
    // Images of equal content share a row, so what was just computed is looked up like everything else.
    if (lacking.length > 0) return rowsOf(split, positions)
    const rows = new Float32Array(positions.length * part.width)
    cache.read(
      positions.map((position) => handles.get(position) as RowHandle),
      rows,
    )
    return rows
  }

  const targetsOf = (split: SplitName, positions: readonly number[]) =>
    task.encodeTargets(positions.map((position) => dataset[split].targets[position] as Target))
  const fromRows = (rows: Float32Array, count: number): Feeds => part.feeds(rows, count)

  return {
    async training(positions, rng) {
      if (!isAugmented) {
        const rows = await rowsOf("train", positions)
        return { ...fromRows(rows, positions.length), ...targetsOf("train", positions) }
      }
      const feeds = await images.training(positions, rng)
      const rows = await part.compute(feeds)
      return { ...feeds, ...fromRows(rows, positions.length) }
    },
    async evaluation(split, positions, withTargets) {
      const rows = await rowsOf(split, positions)
      return { ...fromRows(rows, positions.length), ...(withTargets ? targetsOf(split, positions) : {}) }
    },
    async release() {
      cache?.close()
      await session.release()
    },
  }
}

function openCache<Target>(
  { frozen, dataset, threads, device, cacheRoot }: FrozenBatchesOptions<Target>,
  width: number,
): FeatureCache | undefined {
  if (!isKept(dataset, width)) return undefined
  const { imageShape, normalization } = dataset
  const about = {
    format: rowFormat,
    runtime: runtimeVersion,
    frozenPart: frozen.digest,
    imageShape,
    normalization,
    threads,
    // Absent for the processor, so that rows from before there were other devices are found.
    ...(device === "cpu" ? {} : { device }),
  }
  return FeatureCache.open(featureCacheFolder(cacheRoot ?? featureCacheRoot(), about), { width, about })
}

function isKept({ train, test }: Dataset<unknown>, width: number): boolean {
  return (train.ids.length + test.ids.length) * width * Float32Array.BYTES_PER_ELEMENT <= largestCacheBytes
}

/** Tells where the outputs of a frozen part are kept, where they may become large. */
export function frozenCacheNotice({
  frozen,
  dataset,
  isAugmented,
  cacheRoot = featureCacheRoot(),
}: Pick<FrozenBatchesOptions<unknown>, "frozen" | "dataset" | "isAugmented" | "cacheRoot">): string | undefined {
  const width = widthOf(frozen)
  const { train, test } = dataset
  const rows = test.ids.length + (isAugmented ? 0 : train.ids.length)
  return isKept(dataset, width) ? largeCacheNotice(rows, width, cacheRoot) : undefined
}

function widthOf({ outputs }: FrozenPart): number {
  return outputs.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
}

/** Runs a frozen part, its outputs side by side in one row for each sample. */
class FrozenRows {
  readonly width: number
  /** Samples of one run. */
  readonly batch: number
  readonly #frozen: FrozenPart
  readonly #session: CompiledModel

  constructor(frozen: FrozenPart, session: CompiledModel) {
    this.#frozen = frozen
    this.#session = session
    this.batch = frozen.batch ?? usualBatch
    this.width = widthOf(frozen)
  }

  /** [B, width] from images [B, C, H, W]. */
  async compute({ images }: Feeds): Promise<Float32Array> {
    const { input, outputs } = this.#frozen
    const all = inFileLayout(images as Tensor, input)
    const count = all.shape[0] as number
    const rows = new Float32Array(count * this.width)
    for (let start = 0; start < count; start += this.batch) {
      const results = await this.#session.run({ [input.name]: rowsFrom(all, start, this.batch) })
      const end = Math.min(count, start + this.batch)
      let offset = 0
      for (const { name, shape } of outputs) {
        const length = sizeOf(shape)
        const data = (results[name] as Tensor).data as Float32Array
        for (let row = start; row < end; row++) {
          rows.set(data.subarray((row - start) * length, (row - start + 1) * length), row * this.width + offset)
        }
        offset += length
      }
    }
    return rows
  }

  /** Rows taken apart into one tensor for each output. */
  feeds(rows: Float32Array, count: number): Feeds {
    let offset = 0
    const feeds: Record<string, Tensor> = {}
    for (const { name, shape } of this.#frozen.outputs) {
      const length = sizeOf(shape)
      const data = new Float32Array(count * length)
      for (let row = 0; row < count; row++) {
        const start = row * this.width + offset
        data.set(rows.subarray(start, start + length), row * length)
      }
      feeds[name] = floatTensor([count, ...shape], data)
      offset += length
    }
    return feeds
  }
}

/** `count` samples from one on; what lacks at the end is zeros. */
function rowsFrom({ shape, data }: Tensor, start: number, count: number): Tensor {
  const rest = shape.slice(1)
  const length = sizeOf(rest)
  const part = new Float32Array(count * length)
  part.set((data as Float32Array).subarray(start * length, (start + count) * length))
  return floatTensor([count, ...rest], part)
}

/** Images [B, C, H, W] as the file takes them. */
function inFileLayout(images: Tensor, { layout, shape }: FrozenPart["input"]): Tensor {
  const [count = 0, channels = 0, ...size] = images.shape
  const data = images.data as Float32Array
  if (layout !== "channels-last") return floatTensor([count, ...shape], data)
  const positions = sizeOf(size)
  const out = new Float32Array(data.length)
  for (let sample = 0; sample < count; sample++) {
    const start = sample * channels * positions
    for (let channel = 0; channel < channels; channel++) {
      for (let position = 0; position < positions; position++) {
        out[start + position * channels + channel] = data[start + channel * positions + position] as number
      }
    }
  }
  return floatTensor([count, ...shape], out)
}
