import { atomicWrite, LearnlossError } from "@learnloss/engine"
import { type ImagePrediction, predictImages } from "@learnloss/learn"
import { requireWritable } from "../cli/require-writable.ts"
import type { CheckpointQuery } from "../experiments/export-run.ts"
import { shownScore } from "../report/shown-score.ts"
import { drawingPaths, drawPredictions } from "./draw-predictions.ts"
import { listImages } from "./list-images.ts"
import { openNetwork } from "./open-network.ts"
import { type PredictionFormat, predictionWriters } from "./write-predictions.ts"

export interface PredictSettings extends CheckpointQuery {
  /** Files, folders and patterns. */
  readonly images: readonly string[]
  readonly format: PredictionFormat
  /** Least score of what is told, 0..1; what suits task and format where it is left out. */
  readonly threshold?: number
  /** File to write to instead of giving the text back. */
  readonly out?: string
  /** Folder for a picture of each image with what was found in it. */
  readonly draw?: string
  readonly threads: number
}

export interface PredictWatcher {
  readonly signal: AbortSignal
  readonly onProgress: (phase: "images" | "drawings", done: number, total: number) => void
  /** Told which network predicts, before it does. */
  readonly onOpen: (origin: string) => void
}

/** What a prediction came to. */
export interface PredictOutcome {
  /** In the format that was asked for. */
  readonly text: string
  readonly images: number
  readonly unreadable: readonly Extract<ImagePrediction, { unreadable: string }>[]
}

/**
 * Predicts images with a network and writes what it says; nothing is written unless all is predicted.
 *
 * @throws LearnlossError `FORMAT_OF_ANOTHER_TASK`, `FILE_NOT_WRITTEN`, `INTERRUPTED`, and what opening networks and listing
 * images throw
 */
export async function runPredict(settings: PredictSettings, watcher: PredictWatcher): Promise<PredictOutcome> {
  const { images: given, format, out, draw, threads } = settings
  if (out !== undefined) requireWritable("--out", out)
  const asked = await listImages(given)
  const drawings = draw === undefined ? undefined : drawingPaths(draw, asked)
  for (const path of drawings?.values() ?? []) requireWritable("--draw", path)
  const { network, origin } = await openNetwork(settings)
  const isDetector = network.task === "detection"
  if (format === "coco" && !isDetector) {
    throw new LearnlossError("FORMAT_OF_ANOTHER_TASK", {
      where: "--format coco",
      expected: "a network that finds objects",
      got: `one for ${network.task}`,
      fix: "Use --format json.",
    })
  }
  watcher.onOpen(origin)
  const threshold = settings.threshold ?? (isDetector && format !== "coco" ? shownScore : 0)
  const drawnThreshold = settings.threshold ?? (isDetector ? shownScore : 0)
  const paths = asked.map(({ path }) => path)
  const { signal } = watcher
  const onProgress = (done: number, total: number) => watcher.onProgress("images", done, total)
  const images = await predictImages(network, paths, { threads, signal, onProgress })
  if (drawings !== undefined) {
    const onDrawn = (done: number, total: number) => watcher.onProgress("drawings", done, total)
    await drawPredictions(images, { network, threshold: drawnThreshold, paths: drawings, signal, onProgress: onDrawn })
  }
  const text = predictionWriters[format]({ network, images, threshold })
  if (out !== undefined) atomicWrite(out, text)
  return { text, images: images.length, unreadable: images.flatMap((image) => ("unreadable" in image ? image : [])) }
}
