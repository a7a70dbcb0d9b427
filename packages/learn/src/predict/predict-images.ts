import { compileModel, floatTensor, LearnlossError, type Tensor } from "@learnloss/engine"
import { normalizationTable } from "../data/normalization.ts"
import { writePixels } from "../frozen/decode-input.ts"
import { throwIfAborted } from "../training/interruption.ts"
import type { NetworkFile } from "./network-file.ts"
import { type Answer, type FileSize, joinAnswers, readOutputs } from "./read-outputs.ts"
import { type CropsOf, type ReadView, readViews } from "./read-views.ts"

/** What is said of one image file, or why nothing can be. */
export type ImagePrediction =
  | { readonly path: string; readonly size: FileSize; readonly answer: Answer }
  | { readonly path: string; readonly unreadable: string }

export interface PredictOptions {
  /** For networks that find joints: where the people of an image are; left out, an image is taken for one person. */
  readonly cropsOf?: CropsOf
  readonly threads: number
  readonly signal: AbortSignal
  readonly onProgress: (done: number, total: number) => void
}

/** Images, and views of them, at once: the next images are read meanwhile. */
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
  { cropsOf, threads, signal, onProgress }: PredictOptions,
): Promise<readonly ImagePrediction[]> {
  const batches = Array.from({ length: Math.ceil(paths.length / batchSize) }, (_, index) =>
    paths.slice(index * batchSize, (index + 1) * batchSize),
  )
  const table = normalizationTable(network.normalization)
  const readAll = (batch: readonly string[] = []) => {
    const reading = Promise.all(batch.map((path) => tryToRead(path, network, cropsOf)))
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
      const answers = await runAll(current.flatMap((each) => ("views" in each ? each.views : [])))
      let answered = 0
      for (const each of current) {
        if (!("views" in each)) {
          predictions.push(each)
          continue
        }
        const { path, size, views } = each
        const own = answers.slice(answered, answered + views.length)
        answered += views.length
        predictions.push({ path, size, answer: joinAnswers(network.task, own) })
      }
      onProgress(predictions.length, paths.length)
    }
  } finally {
    // What is still being read must not outlive a failure.
    await Promise.allSettled([next])
    await session.release()
  }
  return predictions

  async function runAll(views: readonly ReadView[]): Promise<readonly Answer[]> {
    const answers: Answer[] = []
    for (let start = 0; start < views.length; start += batchSize) {
      const some = views.slice(start, start + batchSize)
      const results = await session.run({ [network.inputName]: feed(network, some, table) })
      answers.push(...readOutputs(network.task, results, network.outputNames[0] as string, some))
    }
    return answers
  }
}

type Attempt =
  | { readonly path: string; readonly size: FileSize; readonly views: readonly ReadView[] }
  | { readonly path: string; readonly unreadable: string }

async function tryToRead(path: string, network: NetworkFile, cropsOf: CropsOf | undefined): Promise<Attempt> {
  try {
    return { path, ...(await readViews(path, network, cropsOf)) }
  } catch (error) {
    if (!(error instanceof LearnlossError)) throw error
    return { path, unreadable: `expected ${error.details.expected}, got ${error.details.got}` }
  }
}

/** Views as the file's input takes them. */
function feed({ images: input }: NetworkFile, views: readonly ReadView[], table: Float32Array): Tensor {
  const { channels, height, width } = input
  const length = channels * height * width
  const data = new Float32Array(views.length * length)
  const layout = input.layout === "channels-last" ? "channels-last" : "channels-first"
  for (const [index, { pixels }] of views.entries())
    writePixels(pixels, { channels, layout }, table, data, index * length)
  const shapes = {
    "channels-first": [channels, height, width],
    "channels-last": [height, width, channels],
    flat: [length],
  } as const
  return floatTensor([views.length, ...shapes[input.layout]], data)
}
