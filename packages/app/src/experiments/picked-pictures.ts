import { existsSync } from "node:fs"
import { join } from "node:path"
import type { FoundObjects, PredictionsRecord, SelectionRecord } from "@learnloss/contract"
import { atomicWrite, type FileOperations, InternalError } from "@learnloss/engine"
import type { AnyDataset, PickedImage, Place } from "@learnloss/learn"
import { runFiles } from "./run-files.ts"

/** Images of a selection that its picture shows. */
const imagesShown = 24

/** Draws picked images of a pool as one PNG. */
export type DrawPicked = (picked: readonly PickedImage[], pool: AnyDataset) => Promise<Uint8Array>

/** Draws what a detector found in test images of a pool as one PNG. */
export type DrawFound = (found: readonly FoundObjects[], pool: AnyDataset) => Promise<Uint8Array>

/** Draws pictures of what cycles picked, and of what detectors found, while training goes on. */
export interface PictureQueue {
  add(place: Place, picked: readonly PickedImage[]): void
  /** Takes the last cycle's of each job alone. */
  addFound(predictions: PredictionsRecord): void
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
  readonly drawFound: DrawFound
  /** Cycles of each job. */
  readonly cycles: number
  readonly operations?: FileOperations | undefined
}

/** Starts a queue that writes to `picked/` and `found/` of a run's folder, one picture after the other. */
export function createPictureQueue(options: PictureOptions): PictureQueue {
  const { folder, pools, draw, drawFound, cycles, operations } = options
  let last = Promise.resolve()
  function queue(place: Place, kind: PictureKind, drawn: (pool: AnyDataset) => Promise<Uint8Array>): void {
    const pool = pools[place.trial - 1]
    if (pool === undefined) throw new InternalError(`no pool of trial ${place.trial}`)
    last = last.then(async () => atomicWrite(picturePath(folder, kind, place), await drawn(pool), operations))
    // Whoever waits for `settled` gets the error; until then it must not end the process.
    last.catch(() => {})
  }
  return {
    add(place, picked) {
      queue(place, "picked", (pool) => draw(picked, pool))
    },
    addFound(predictions) {
      const { found, cycle } = predictions
      if (found !== undefined && cycle === cycles) queue(predictions, "found", (pool) => drawFound(found, pool))
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
  const missing = selections.filter(
    (selection) => selection.cycle > 0 && !existsSync(picturePath(folder, "picked", selection)),
  )
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

/** Draws again what a kill left undrawn of what detectors found. */
export function addMissingFound(
  queue: Pick<PictureQueue, "addFound">,
  folder: string,
  predictions: readonly PredictionsRecord[],
): void {
  for (const record of predictions) if (!existsSync(picturePath(folder, "found", record))) queue.addFound(record)
}

/** True when every selection of a run has its picture, and what detectors found after the last of some cycles too. */
export function hasAllPictures(
  folder: string,
  selections: readonly SelectionRecord[],
  predictions: readonly PredictionsRecord[],
  cycles: number,
): boolean {
  const isThere = (kind: PictureKind, place: Place) => existsSync(picturePath(folder, kind, place))
  return (
    selections.every((selection) => selection.cycle === 0 || isThere("picked", selection)) &&
    predictions.every((record) => record.found === undefined || record.cycle < cycles || isThere("found", record))
  )
}

type PictureKind = "picked" | "found"

function picturePath(folder: string, kind: PictureKind, { strategy, trial, cycle }: Place): string {
  return join(folder, runFiles[kind], `${strategy}-trial${trial}-cycle${cycle}.png`)
}
