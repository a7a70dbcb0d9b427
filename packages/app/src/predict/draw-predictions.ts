import { existsSync, realpathSync } from "node:fs"
import { extname, join, resolve } from "node:path"
import { atomicWrite, LearnlossError } from "@learnloss/engine"
import { decodePicture, type ImagePrediction, type NetworkFile } from "@learnloss/learn"
import { drawPicture } from "../drawing/draw-picture.ts"
import { detectedBoxes } from "../drawing/drawn-boxes.ts"
import { foundSkeleton } from "../drawing/drawn-skeletons.ts"
import { sideLegend, skeletonLegend } from "../drawing/legend.ts"
import { pictureSheet } from "../drawing/picture-sheet.ts"
import { throwIfInterrupted } from "../experiments/interruption.ts"
import { formatPercent } from "../report/format.ts"
import { sureJointScore } from "../report/shown-score.ts"
import type { AskedImage } from "./list-images.ts"
import { namedPredictions } from "./write-predictions.ts"

/** Longest side of drawn pictures, in pixels. */
const longestSide = 1600

/** A picture that is captioned with classes is at most so large. */
const captionedSide = 512
const captionedClasses = 3

/**
 * Where the drawing of each image goes: under its own name as a PNG, with a number where another has that name.
 *
 * @throws LearnlossError `DRAWING_OVER_IMAGE` where that is one of the images themselves
 */
export function drawingPaths(folder: string, asked: readonly AskedImage[]): ReadonlyMap<string, string> {
  const taken = new Set<string>()
  const paths = new Map<string, string>()
  for (const { name, path } of asked) {
    const stem = name.slice(0, name.length - extname(name).length)
    let drawing = `${stem}.png`
    for (let number = 2; taken.has(drawing); number++) drawing = `${stem}-${number}.png`
    taken.add(drawing)
    paths.set(path, join(folder, drawing))
  }
  const images = new Set(asked.map(({ path }) => realOf(path)))
  const over = [...paths.values()].find((path) => images.has(realOf(path)))
  if (over === undefined) return paths
  throw new LearnlossError("DRAWING_OVER_IMAGE", {
    where: `--draw ${folder}`,
    expected: "a folder apart from the images",
    got: `one where ${over} would be written over`,
    fix: "Choose another folder.",
  })
}

function realOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : resolve(path)
}

export interface DrawOptions {
  readonly network: Pick<NetworkFile, "where" | "task" | "classNames" | "skeleton">
  readonly threshold: number
  /** By the path of the image. */
  readonly paths: ReadonlyMap<string, string>
  readonly signal: AbortSignal
  readonly onProgress: (done: number, total: number) => void
}

/**
 * Draws each image with the boxes or people that were found in it, or with its most probable classes under it.
 *
 * @throws LearnlossError `INTERRUPTED`, `BAD_IMAGE` for a file that changed meanwhile, `FILE_NOT_WRITTEN`
 */
export async function drawPredictions(images: readonly ImagePrediction[], options: DrawOptions): Promise<void> {
  const readable = images.flatMap((image) => ("unreadable" in image ? [] : image))
  for (const [index, image] of readable.entries()) {
    throwIfInterrupted(options.signal, "drawing")
    const png = await drawOne(image, options)
    atomicWrite(options.paths.get(image.path) as string, png)
    options.onProgress(index + 1, readable.length)
  }
}

async function drawOne(
  image: Extract<ImagePrediction, { answer: unknown }>,
  { network, threshold }: Pick<DrawOptions, "network" | "threshold">,
): Promise<Uint8Array> {
  const { answer, size } = image
  if (answer.task === "classification") {
    const picture = await decodePicture(image.path, captionedSide)
    const named = namedPredictions(image, { network, threshold }).slice(0, captionedClasses)
    const caption = named.map(({ class: name, score }) => `${name} ${formatPercent(score)}`).join(", ")
    return await pictureSheet([{ picture, boxes: [], caption }], { columns: 1, side: captionedSide, classNames: [] })
  }
  const picture = await decodePicture(image.path, longestSide)
  const [across, down] = [picture.width / size.width, picture.height / size.height]
  if (answer.task === "pose") {
    const skeleton = { bones: [], pairs: [], ...network.skeleton, names: network.classNames }
    const skeletons = answer.people.map(({ joints, crop: { center, side } }) => {
      const scaled = joints.map(({ x, y, score }) => ({ x: x * across, y: y * down, score }))
      const drawn = foundSkeleton(scaled, skeleton)
      const [x, y, half] = [center[0] * across, center[1] * down, side / 2]
      return {
        ...drawn,
        joints: drawn.joints.map((joint, index) => ((joints[index]?.score ?? 0) < threshold ? null : joint)),
        frame: [x - half * across, y - half * down, x + half * across, y + half * down] as const,
      }
    })
    // Joints below the threshold are left out, so that none may be hollow.
    const legend = threshold < sureJointScore || skeletons.length === 0 ? skeletonLegend(skeletons) : sideLegend
    return await drawPicture({ picture, boxes: [], skeletons }, legend)
  }
  const shown = answer.detections
    .filter(({ score }) => score >= threshold)
    .map(({ box: [x1, y1, x2, y2], ...detection }) => ({
      ...detection,
      box: [x1 * across, y1 * down, x2 * across, y2 * down] as const,
    }))
  return await drawPicture({ picture, boxes: detectedBoxes(shown, network.classNames) })
}
