import { basename } from "node:path"
import type { FoundObjects } from "@learnloss/contract"
import { InternalError } from "@learnloss/engine"
import { type AnyDataset, type DetectionTarget, decodePicture, isPictures, scaleTarget } from "@learnloss/learn"
import { detectedBoxes, labeledBoxes } from "../drawing/drawn-boxes.ts"
import { pictureSheet } from "../drawing/picture-sheet.ts"
import { shownScore } from "./shown-score.ts"

/** Two images a row, each twice. */
const columns = 4
const side = 265

/** Draws test images of a pool as one PNG: left of each pair what a person marked, right what a detector found. */
export async function drawFound(found: readonly FoundObjects[], pool: AnyDataset): Promise<Uint8Array> {
  if (!isPictures(pool)) throw new InternalError("objects found in images of one class")
  const { test, classNames } = pool
  const cells = await Promise.all(
    found.map(async ({ id, objects }) => {
      const position = test.ids.indexOf(id)
      if (position < 0) throw new InternalError(`no test image ${id} in the pool`)
      const source = test.picture(position)
      const picture = typeof source === "string" ? await decodePicture(source, 2 * side) : source
      const target: DetectionTarget = test.targets[position]
      const sure = objects.filter(({ score }) => score >= shownScore)
      const [across, down] = [picture.width / target.width, picture.height / target.height]
      const scaled = sure.map(({ box: [x1, y1, x2, y2], ...object }) => ({
        ...object,
        box: [x1 * across, y1 * down, x2 * across, y2 * down] as const,
      }))
      const marked = labeledBoxes(scaleTarget(target, picture.width, picture.height), classNames)
      return [
        { picture, boxes: marked, caption: `${basename(id)}: ${marked.length} marked` },
        { picture, boxes: detectedBoxes(scaled, classNames), caption: `${sure.length} found` },
      ]
    }),
  )
  return await pictureSheet(cells.flat(), { columns, side, classNames })
}
