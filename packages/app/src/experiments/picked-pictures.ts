import { existsSync } from "node:fs"
import { join } from "node:path"
import type { SelectionRecord } from "@learnloss/contract"
import { atomicWrite, type FileOperations, InternalError } from "@learnloss/engine"
import type { AnyDataset, PickedImage, Place } from "@learnloss/learn"
import { runFiles } from "./run-files.ts"

/** Images of a selection that its picture shows. */
const imagesShown = 24

/** Draws picked images of a pool as one PNG. */
export type DrawPicked = (picked: readonly PickedImage[], pool: AnyDataset) => Promise<Uint8Array>

/** Draws pictures of what cycles picked while training goes on. */
export interface PictureQueue {
  add(place: Place, picked: readonly PickedImage[]): void
  /**
   * Resolves when all pictures added so far are on disk.
   *
   * @throws whatever drawing or writing the first failed picture threw.
   */
  settled(): Promise<void>
}

export interface PictureOptions {
  readonly folder: string
  /** Of each trial. */
  readonly pools: readonly AnyDataset[]
  readonly draw: DrawPicked
  readonly operations?: FileOperations | undefined
}

/** Starts a queue that writes to `picked/` of a run's folder, one picture after the other. */
export function createPictureQueue({ folder, pools, draw, operations }: PictureOptions): PictureQueue {
  let last = Promise.resolve()
  return {
    add(place, picked) {
      const pool = pools[place.trial - 1]
      if (pool === undefined) throw new InternalError(`no pool of trial ${place.trial}`)
      last = last.then(async () => atomicWrite(picturePath(folder, place), await draw(picked, pool), operations))
      // Whoever waits for `settled` gets the error; until then it must not end the process.
      last.catch(() => {})
    },
    settled: () => last,
  }
}

/** Draws again what a kill left undrawn, from the selections and the images themselves. */
export function addMissingPictures(
  queue: Pick<PictureQueue, "add">,
  folder: string,
  selections: readonly SelectionRecord[],
  { train }: Pick<AnyDataset, "train">,
): void {
  const missing = selections.filter((selection) => selection.cycle > 0 && !existsSync(picturePath(folder, selection)))
  if (missing.length === 0) return
  const known = new Set(train.ids)
  for (const selection of missing) {
    const picked = selection.ids
      .slice(0, imagesShown)
      .map((id, index): PickedImage => ({ id, score: selection.scores?.[index] ?? null }))
      .filter(({ id }) => known.has(id))
    if (picked.length > 0) queue.add(selection, picked)
  }
}

/** True when every selection of a run has its picture. */
export function hasAllPictures(folder: string, selections: readonly SelectionRecord[]): boolean {
  return selections.every((selection) => selection.cycle === 0 || existsSync(picturePath(folder, selection)))
}

function picturePath(folder: string, { strategy, trial, cycle }: Place): string {
  return join(folder, runFiles.picked, `${strategy}-trial${trial}-cycle${cycle}.png`)
}
