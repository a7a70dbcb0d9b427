import type { RunConfig } from "@learnloss/contract"
import { createRng, LearnlossError } from "@learnloss/engine"
import { type DataDefect, type DrawnSamples, isPictures, openDataset, samplePictures } from "@learnloss/learn"
import { labeledBoxes } from "../drawing/drawn-boxes.ts"
import { pictureSheet } from "../drawing/picture-sheet.ts"

export interface ShowOptions {
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

/** What `learnloss data show` drew. */
export interface ShownSamples {
  readonly png: Uint8Array
  readonly samples: readonly { readonly id: string; readonly class?: string; readonly boxes?: number }[]
  /** Files that were drawn by lot and cannot be read, with why. */
  readonly unreadable: DrawnSamples["unreadable"]
}

/** Longest side of a drawn picture: at least this, as large as the input where that is larger, but at most `most`. */
const drawnSides = { withClass: 120, withBoxes: 280, most: 400 } as const
const sheetWidth = 1240

/**
 * Draws samples of the training split, with their boxes or the names of their classes.
 *
 * @throws LearnlossError when the data cannot be used, or none of the pictures can be read
 */
export async function showSamples(data: string, options: ShowOptions): Promise<ShownSamples> {
  const { count, seed, changes, imageSize, signal, onDefect } = options
  const dataset = await openDataset(data, { imageSize, rng: createRng(seed), signal, onDefect })
  const least = isPictures(dataset) ? drawnSides.withBoxes : drawnSides.withClass
  const side = Math.min(Math.max(imageSize, least), drawnSides.most)
  const rng = createRng(seed).child("show")
  const { samples, unreadable } = await samplePictures(dataset, { count, rng, changes, longestSide: 2 * side })
  if (samples.length === 0 && unreadable[0] !== undefined) throw nothingToDraw(unreadable[0], unreadable.length)
  const cells = samples.map(({ id, picture, target, className }) => ({
    picture,
    boxes: target === null ? [] : labeledBoxes(target, dataset.classNames),
    caption: className === null ? id : `${className}  ${id}`,
  }))
  const columns = Math.max(1, Math.floor(sheetWidth / side))
  return {
    png: await pictureSheet(cells, { columns, side, classNames: dataset.classNames }),
    samples: samples.map(({ id, target, className }) => ({
      id,
      ...(className !== null && { class: className }),
      ...(target !== null && { boxes: target.boxes.length }),
    })),
    unreadable,
  }
}

function nothingToDraw({ path, reason }: DrawnSamples["unreadable"][number], count: number): LearnlossError {
  return new LearnlossError("BAD_IMAGE", {
    where: path,
    expected: "a picture that can be read",
    got: `${reason}${count > 1 ? `; and ${count - 1} others` : ""}`,
    fix: "`learnloss data check` lists all that cannot be read.",
  })
}
