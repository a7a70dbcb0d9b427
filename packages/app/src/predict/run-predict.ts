import { atomicWrite, LearnlossError } from "@learnloss/engine"
import { type FileSize, type ImagePrediction, type NetworkFile, predictImages } from "@learnloss/learn"
import { requireWritable } from "../cli/require-writable.ts"
import type { CheckpointQuery } from "../experiments/export-run.ts"
import { formatCount, plural } from "../report/format.ts"
import { shownScore } from "../report/shown-score.ts"
import { drawingPaths, drawPredictions } from "./draw-predictions.ts"
import { type AskedImage, listImages } from "./list-images.ts"
import { openNetwork } from "./open-network.ts"
import { firstOf, type People, readPeople } from "./people-file.ts"
import { formatsOf, type PredictionFormat, predictionWriters } from "./write-predictions.ts"

export interface PredictSettings extends CheckpointQuery {
  /** Files, folders and patterns. */
  readonly images: readonly string[]
  readonly format: PredictionFormat
  /** Least score of what is told, 0..1; what suits task and format where it is left out. */
  readonly threshold?: number
  /** File to write to instead of giving the text back. */
  readonly out?: string
  /** COCO file or list of detections that says where people are; without it each image is taken for one. */
  readonly people?: string
  /** Least score of boxes of people, 0..1, where they have one. */
  readonly peopleThreshold?: number
  /** Folder for a picture of each image with what was found in it. */
  readonly draw?: string
  readonly threads: number
}

export interface PredictWatcher {
  readonly signal: AbortSignal
  readonly onProgress: (phase: "images" | "drawings", done: number, total: number) => void
  /** Told in lines which network predicts, before it does, and what is left out. */
  readonly onNote: (line: string) => void
}

/** What a prediction came to. */
export interface PredictOutcome {
  /** In the format that was asked for. */
  readonly text: string
  /** How many were looked at, with those that could not be read. */
  readonly images: number
  readonly unreadable: readonly Extract<ImagePrediction, { unreadable: string }>[]
}

/**
 * Predicts images with a network and writes what it says; nothing is written unless all is predicted.
 *
 * @throws LearnlossError `FORMAT_OF_ANOTHER_TASK`, `PEOPLE_OF_ANOTHER_TASK`, `PEOPLE_OF_OTHER_IMAGES`, `FILE_NOT_WRITTEN`,
 * `INTERRUPTED`, and what opening networks, listing images and reading people throw
 */
export async function runPredict(settings: PredictSettings, watcher: PredictWatcher): Promise<PredictOutcome> {
  const { images: given, format, out, draw, threads } = settings
  if (out !== undefined) requireWritable("--out", out)
  const asked = await listImages(given)
  const drawings = draw === undefined ? undefined : drawingPaths(draw, asked)
  for (const path of drawings?.values() ?? []) requireWritable("--draw", path)
  const people =
    settings.people === undefined ? undefined : readPeople(settings.people, settings.peopleThreshold ?? shownScore)
  const { network, origin } = await openNetwork(settings)
  requireFitting(network.task, settings)
  watcher.onNote(origin)
  for (const line of people?.leftOut ?? []) watcher.onNote(line)
  const least = leastScores[network.task]
  const threshold = settings.threshold ?? (format === "coco" ? 0 : least)
  const drawnThreshold = settings.threshold ?? least
  const paths = namedBy(people, asked, settings)
  if (paths.length < asked.length) {
    const unnamed = formatCount(asked.length - paths.length)
    watcher.onNote(`${unnamed} of ${plural(asked.length, "image")} are not in ${settings.people}: left out`)
  }
  const { signal } = watcher
  const onProgress = (done: number, total: number) => watcher.onProgress("images", done, total)
  const cropsOf = people && ((path: string, size: FileSize) => people.of(path, size).map(({ crop }) => crop))
  const images = await predictImages(network, paths, { threads, signal, onProgress, ...(cropsOf && { cropsOf }) })
  for (const line of outsideOf(images, people)) watcher.onNote(line)
  if (drawings !== undefined) {
    const onDrawn = (done: number, total: number) => watcher.onProgress("drawings", done, total)
    await drawPredictions(images, { network, threshold: drawnThreshold, paths: drawings, signal, onProgress: onDrawn })
  }
  const text = predictionWriters[format]({ network, images, threshold, people })
  if (out !== undefined) atomicWrite(out, text)
  return { text, images: images.length, unreadable: images.flatMap((image) => ("unreadable" in image ? image : [])) }
}

/**
 * The images that a file of people names; all of them without one.
 *
 * @throws LearnlossError `PEOPLE_OF_OTHER_IMAGES`
 */
function namedBy(
  people: People | undefined,
  asked: readonly AskedImage[],
  { people: file }: PredictSettings,
): readonly string[] {
  const paths = asked.map(({ path }) => path)
  if (people === undefined) return paths
  const named = paths.filter((path) => people.imageIdOf(path) !== undefined)
  if (named.length > 0) return named
  throw new LearnlossError("PEOPLE_OF_OTHER_IMAGES", {
    where: `--people ${file}`,
    expected: "a file that names some of the images",
    got: `none of ${plural(paths.length, "image")}, the first ${paths[0]}`,
    fix: "Give the images that the file names, under its names for them.",
  })
}

/** Lines that name boxes of people outside their images. */
function outsideOf(images: readonly ImagePrediction[], people: People | undefined): string[] {
  const lines = images.flatMap((image) =>
    "unreadable" in image || people === undefined
      ? []
      : people
          .outside(image.path, image.size)
          .map(({ place, box }) => `${image.path}: the box [${box.join(", ")}] (${place}) lies outside it: left out`),
  )
  return firstOf(lines)
}

/** Least scores of what is told, where nobody asks for others. */
const leastScores = { classification: 0, detection: shownScore, pose: 0 } as const satisfies Record<
  NetworkFile["task"],
  number
>

/** @throws LearnlossError `FORMAT_OF_ANOTHER_TASK`, `PEOPLE_OF_ANOTHER_TASK` */
function requireFitting(task: NetworkFile["task"], { format, people }: PredictSettings): void {
  const formats: readonly PredictionFormat[] = formatsOf[task]
  if (!formats.includes(format)) {
    throw new LearnlossError("FORMAT_OF_ANOTHER_TASK", {
      where: `--format ${format}`,
      expected: "a network that finds objects or people",
      got: `one for ${task}`,
      fix: "Use --format json.",
    })
  }
  if (people === undefined || task === "pose") return
  throw new LearnlossError("PEOPLE_OF_ANOTHER_TASK", {
    where: `--people ${people}`,
    expected: "a network that finds the joints of people",
    got: `one for ${task}`,
    fix: "Leave --people out.",
  })
}
