import { InternalError } from "@learnloss/engine"
import { type AnyDataset, isPictures, type PickedImage, type PictureDataset } from "@learnloss/learn"
import { pictureSheet } from "../drawing/picture-sheet.ts"
import { contactSheet } from "./contact-sheet.ts"
import { formatScore } from "./format.ts"
import { showSample } from "./shown-sample.ts"

/** Pictures with boxes or joints need more room than images of one class, so fewer are drawn, in columns and of this side. */
const picturesShown = 12
const pictureColumns = 4
const pictureSide = 260

/** Draws picked images of a pool as one PNG, each with the label, boxes or joints that it was given and its score. */
export async function drawPicked(picked: readonly PickedImage[], pool: AnyDataset): Promise<Uint8Array> {
  const positions = new Map(pool.train.ids.map((id, position) => [id, position]))
  const positionOf = (id: string): number => {
    const position = positions.get(id)
    if (position === undefined) throw new InternalError(`no image ${id} in the pool`)
    return position
  }
  if (isPictures(pool)) return await drawPictures(picked.slice(0, picturesShown), pool, positionOf)
  const { imageShape, classNames, train } = pool
  const images = picked.map(({ id, score }) => {
    const position = positionOf(id)
    const target: number = train.targets[position]
    return { label: classNames[target] ?? String(target), score, pixels: train.image(position) }
  })
  return await contactSheet(images, imageShape)
}

async function drawPictures(
  picked: readonly PickedImage[],
  // biome-ignore lint/suspicious/noExplicitAny: only what shows a sample looks into its target
  pool: PictureDataset<any>,
  positionOf: (id: string) => number,
): Promise<Uint8Array> {
  const cells = await Promise.all(
    picked.map(async ({ id, score }) => {
      const { marked } = await showSample(pool, "train", positionOf(id), pictureSide)
      return { ...marked, caption: score === null ? id : `${formatScore(score)}  ${id}` }
    }),
  )
  return await pictureSheet(cells, { columns: pictureColumns, side: pictureSide, classNames: pool.classNames })
}
