import { compileModel, floatTensor, LearnlossError, type Tensor } from "@learnloss/engine"
import { normalizationTable } from "../data/normalization.ts"
import { writePixels } from "../frozen/decode-input.ts"
import { throwIfAborted } from "../training/interruption.ts"
import type { NetworkFile } from "./network-file.ts"
import { type ReadImage, readImage } from "./read-image.ts"
import { type Answer, type FileSize, readOutputs } from "./read-outputs.ts"

/** What is said of one image file, or why nothing can be. */
export type ImagePrediction =
  | { readonly path: string; readonly size: FileSize; readonly answer: Answer }
  | { readonly path: string; readonly unreadable: string }

export interface PredictOptions {
  readonly threads: number
  readonly signal: AbortSignal
  readonly onProgress: (done: number, total: number) => void
}

/** Images at once: the next are read meanwhile. */
const batchSize = 16

/**
 * Runs a written network on image files. A file that cannot be read is told in its place and keeps no other back.
 *
 * @returns one prediction for each path, in their order
 * @throws LearnlossError `INTERRUPTED`, `MODEL_NOT_COMPILED`, `OUTPUT_NOT_FINITE`
 */
export async function predictImages(
  network: NetworkFile,
  paths: readonly string[],
  { threads, signal, onProgress }: PredictOptions,
): Promise<readonly ImagePrediction[]> {
  const batches = Array.from({ length: Math.ceil(paths.length / batchSize) }, (_, index) =>
    paths.slice(index * batchSize, (index + 1) * batchSize),
  )
  const table = normalizationTable(network.normalization)
  const readAll = (batch: readonly string[] = []) => {
    const reading = Promise.all(batch.map((path) => tryToRead(path, network)))
    // It may fail before anybody waits for it.
    reading.catch(() => {})
    return reading
  }
  const session = await compileModel(network.model, { threads })
  const predictions: ImagePrediction[] = []
  let next = readAll(batches[0])
  try {
    for (const [index] of batches.entries()) {
      throwIfAborted(signal, "prediction")
      const current = await next
      next = readAll(batches[index + 1])
      const images = current.flatMap((each) => ("image" in each ? [each.image] : []))
      const answers = images.length === 0 ? [] : await run(images)
      let answered = 0
      for (const each of current) {
        predictions.push(
          "image" in each ? { path: each.path, size: each.image.size, answer: answers[answered++] as Answer } : each,
        )
      }
      onProgress(predictions.length, paths.length)
    }
  } finally {
    // What is still being read must not outlive a failure.
    await Promise.allSettled([next])
    await session.release()
  }
  return predictions

  async function run(images: readonly ReadImage[]): Promise<readonly Answer[]> {
    const results = await session.run({ [network.inputName]: feed(network, images, table) })
    const sizes = images.map(({ size }) => size)
    return readOutputs(network.task, results, network.outputNames[0] as string, sizes)
  }
}

type Attempt =
  | { readonly path: string; readonly image: ReadImage }
  | { readonly path: string; readonly unreadable: string }

async function tryToRead(path: string, { images }: NetworkFile): Promise<Attempt> {
  try {
    return { path, image: await readImage(path, images) }
  } catch (error) {
    if (!(error instanceof LearnlossError)) throw error
    return { path, unreadable: `expected ${error.details.expected}, got ${error.details.got}` }
  }
}

/** Images as the file's input takes them. */
function feed({ images: input }: NetworkFile, images: readonly ReadImage[], table: Float32Array): Tensor {
  const { channels, height, width } = input
  const length = channels * height * width
  const data = new Float32Array(images.length * length)
  const layout = input.layout === "channels-last" ? "channels-last" : "channels-first"
  for (const [index, { pixels }] of images.entries())
    writePixels(pixels, { channels, layout }, table, data, index * length)
  const shapes = {
    "channels-first": [channels, height, width],
    "channels-last": [height, width, channels],
    flat: [length],
  } as const
  return floatTensor([images.length, ...shapes[input.layout]], data)
}
