import { basename } from "node:path"
import type { FoundObjects } from "@learnloss/contract"
import { InternalError } from "@learnloss/engine"
import { type AnyDataset, isPictures } from "@learnloss/learn"
import { pictureSheet } from "../drawing/picture-sheet.ts"
import { showSample } from "./shown-sample.ts"

/** Two samples a row, each twice. */
const columns = 4
const side = 265

/** Draws test samples of a pool as one PNG: left of each pair what a person marked, right what a network found. */
export async function drawFound(found: readonly FoundObjects[], pool: AnyDataset): Promise<Uint8Array> {
  if (!isPictures(pool)) throw new InternalError("objects found in images of one class")
  const { test, classNames } = pool
  const cells = await Promise.all(
    found.map(async ({ id, objects }) => {
      const position = test.ids.indexOf(id)
      if (position < 0) throw new InternalError(`no test image ${id} in the pool`)
      const sample = await showSample(pool, "test", position, side)
      const [marked, seen] = [sample.marked, sample.found(objects)]
      return [
        { ...marked, caption: `${basename(id)}: ${marked.count}` },
        { ...seen, caption: seen.count },
      ]
    }),
  )
  return await pictureSheet(cells.flat(), { columns, side, classNames })
}
