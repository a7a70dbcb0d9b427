import type { AnnotatedSet } from "./annotated-set.ts"
import { DefectLog } from "./defects.ts"

/**
 * Where PASCAL VOC's numbers start: `as-is` takes them for corners in continuous, 0-based pixels, as most tools write
 * them; `one` for the numbers of the first and last pixel, counted from 1, as the original data have them.
 */
export const boxOrigins = ["as-is", "one"] as const
export type BoxOrigin = (typeof boxOrigins)[number]

/** What all readers of annotations take. */
export interface SetReadOptions {
  readonly log: DefectLog
  /** Of PASCAL VOC's numbers; the other formats say it themselves. Default `as-is`. */
  readonly origin?: BoxOrigin | undefined
  /** Takes files with joints where others describe the same images (COCO). Default false. */
  readonly wantsJoints?: boolean | undefined
  /** Decodes every image instead of reading its header only, which finds damaged ones. */
  readonly decodes?: boolean | undefined
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Reads the annotated images at a path; what is wrong with them goes to the log. */
export type SetReader = (path: string, options: SetReadOptions) => Promise<AnnotatedSet>

/** How many files are read at once: reading waits, and sharp decodes on threads of its own. */
const atOnce = 8

/**
 * Works on items a few at a time and returns the results in their order; each piece of work has a log of its own, so
 * that defects come in that order too.
 */
export async function mapInOrder<Item, Result>(
  items: readonly Item[],
  options: SetReadOptions,
  work: (item: Item, log: DefectLog) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array(items.length)
  const logs: DefectLog[] = []
  let [next, done] = [0, 0]
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      options.signal?.throwIfAborted()
      const position = next++
      const log = new DefectLog()
      logs[position] = log
      results[position] = await work(items[position] as Item, log)
      options.onProgress?.(++done, items.length)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  for (const log of logs) options.log.append(log)
  return results
}
