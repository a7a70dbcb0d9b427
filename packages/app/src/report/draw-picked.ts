import { InternalError } from "@learnloss/engine"
import { type AnyDataset, isPictures, type PickedImage } from "@learnloss/learn"
import { contactSheet } from "./contact-sheet.ts"

/** Draws picked images of a pool as one PNG, each with the label that it was given and its score. */
export async function drawPicked(picked: readonly PickedImage[], pool: AnyDataset): Promise<Uint8Array> {
  if (isPictures(pool)) throw new InternalError("pictures cannot be drawn yet")
  const { imageShape, classNames, train } = pool
  const positions = new Map(train.ids.map((id, position) => [id, position]))
  const images = picked.map(({ id, score }) => {
    const position = positions.get(id)
    if (position === undefined) throw new InternalError(`no image ${id} in the pool`)
    const target: number = train.targets[position]
    return { label: classNames[target] ?? String(target), score, pixels: train.image(position) }
  })
  return await contactSheet(images, imageShape)
}
