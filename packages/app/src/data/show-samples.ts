import type { RunConfig, TaskName } from "@learnloss/contract"
import { createRng, InternalError, LearnlossError } from "@learnloss/engine"
import {
  type AnyDataset,
  type Box,
  type DataDefect,
  type DrawnSamples,
  isPictures,
  openDataset,
  type PersonTarget,
  requireDataOf,
  type ShownLabel,
  samplePictures,
} from "@learnloss/learn"
import type { BoxedPicture } from "../drawing/draw-picture.ts"
import { labeledBoxes } from "../drawing/drawn-boxes.ts"
import { labelledSkeleton } from "../drawing/drawn-skeletons.ts"
import { pictureSheet } from "../drawing/picture-sheet.ts"

export interface ShowOptions {
  /** What to read from formats that hold labels for several tasks; default people where the objects have joints. */
  readonly task: TaskName | undefined
  /** Samples on the picture. */
  readonly count: number
  readonly seed: number
  /** How training changes them; null shows them as they are. */
  readonly changes: RunConfig["augment"] | null
  /** Side of the network's input in pixels. */
  readonly imageSize: number
  readonly signal: AbortSignal
  readonly onDefect: (defect: DataDefect) => void
}

/** What a sample has: its class, or how many boxes or labelled joints. */
interface ShownSummary {
  readonly class?: string
  readonly boxes?: number
  readonly joints?: number
}

/** What `learnloss data show` drew. */
export interface ShownSamples {
  readonly png: Uint8Array
  /** Where the samples are from. */
  readonly split: DrawnSamples["split"]
  readonly samples: readonly ({ readonly id: string } & ShownSummary)[]
  /** Files that were drawn by lot and cannot be read, with why. */
  readonly unreadable: DrawnSamples["unreadable"]
}

/** Longest side of a drawn picture: at least this, as large as the input where that is larger, but at most `most`. */
const drawnSides = { withClass: 120, withBoxes: 280, most: 400 } as const
const sheetWidth = 1240

/**
 * Draws samples of the training split, or of the test split where there is none, with their boxes, their joints or the
 * names of their classes.
 *
 * @throws LearnlossError when the data cannot be used, are none of the task, or none of the pictures can be read
 */
export async function showSamples(data: string, options: ShowOptions): Promise<ShownSamples> {
  const { task, count, seed, changes, imageSize, signal, onDefect } = options
  const dataset = await openDataset(data, {
    task,
    imageSize,
    rng: createRng(seed),
    mayLackSplit: true,
    signal,
    onDefect,
  })
  if (task !== undefined) requireDataOf({ task, data }, dataset)
  const least = isPictures(dataset) ? drawnSides.withBoxes : drawnSides.withClass
  const side = Math.min(Math.max(imageSize, least), drawnSides.most)
  const rng = createRng(seed).child("show")
  const { split, samples, unreadable } = await samplePictures(dataset, { count, rng, changes, longestSide: 2 * side })
  if (samples.length === 0 && unreadable[0] !== undefined) throw nothingToDraw(unreadable[0], unreadable.length)
  const cells = samples.map(({ id, picture, shows }) => ({
    picture,
    caption: shows.kind === "class" ? `${shows.className}  ${id}` : id,
    ...drawingOf(shows, dataset),
  }))
  const columns = Math.max(1, Math.floor(sheetWidth / side))
  return {
    png: await pictureSheet(cells, { columns, side, classNames: dataset.classNames }),
    split,
    samples: samples.map(({ id, shows }) => ({ id, ...summaryOf(shows) })),
    unreadable,
  }
}

function drawingOf(shows: ShownLabel, { classNames, ...dataset }: AnyDataset): Omit<BoxedPicture, "picture"> {
  if (shows.kind === "class") return { boxes: [] }
  if (shows.kind === "boxes") return { boxes: labeledBoxes(shows.target, classNames) }
  const skeleton = "skeleton" in dataset ? dataset.skeleton : undefined
  if (skeleton === undefined) throw new InternalError("people of data without a skeleton")
  const { target, others } = shows
  const around = others.map((other) => ({ ...labelledSkeleton(other, skeleton), isFaint: true }))
  return { boxes: [], skeletons: [{ ...labelledSkeleton(target, skeleton), frame: frameOf(target) }, ...around] }
}

/** The square that a network sees of a person. */
function frameOf({ crop: { center, side } }: PersonTarget): Box {
  return [center[0] - side / 2, center[1] - side / 2, center[0] + side / 2, center[1] + side / 2]
}

function summaryOf(shows: ShownLabel): ShownSummary {
  if (shows.kind === "class") return { class: shows.className }
  if (shows.kind === "boxes") return { boxes: shows.target.boxes.length }
  return { joints: shows.target.joints.filter(({ visibility }) => visibility > 0).length }
}

function nothingToDraw({ path, reason }: DrawnSamples["unreadable"][number], count: number): LearnlossError {
  return new LearnlossError("BAD_IMAGE", {
    where: path,
    expected: "a picture that can be read",
    got: `${reason}${count > 1 ? `; and ${count - 1} others` : ""}`,
    fix: "`learnloss data check` lists all that cannot be read.",
  })
}
