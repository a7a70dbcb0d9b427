import { availableParallelism } from "node:os"
import { LearnlossError } from "@learnloss/engine"
import { decodeImage } from "./decode-image.ts"
import type { ReadOptions } from "./reader.ts"

/** How many unreadable images an error names; `learnloss data check` lists all. */
const namedImages = 5

/**
 * Decodes image files to planes [3, imageSize, imageSize], a few at a time.
 *
 * @throws LearnlossError `BAD_IMAGE` after all files were tried, naming the first bad ones; each is told to `onDefect`.
 */
export async function decodeImages(
  where: string,
  paths: readonly string[],
  options: Pick<ReadOptions, "imageSize" | "onProgress" | "onDefect" | "signal">,
): Promise<Uint8Array[]> {
  const images: Uint8Array[] = new Array(paths.length)
  const failures: LearnlossError[] = []
  let next = 0
  let done = 0
  const work = async (): Promise<void> => {
    while (next < paths.length) {
      options.signal?.throwIfAborted()
      const position = next++
      try {
        images[position] = await decodeImage(paths[position] as string, options.imageSize)
      } catch (error) {
        if (!(error instanceof LearnlossError)) throw error
        failures.push(error)
      }
      options.onProgress?.(++done, paths.length)
    }
  }
  const workers = Math.min(Math.max(availableParallelism(), 2), 8)
  await Promise.all(Array.from({ length: workers }, work))
  if (failures.length === 0) return images

  failures.sort((a, b) => (a.details.where < b.details.where ? -1 : 1))
  for (const { details } of failures) {
    options.onDefect?.({
      file: details.where,
      reason: `expected ${details.expected}, got ${details.got}`,
      isFatal: true,
    })
  }
  throw severalBadImages(where, failures, paths.length)
}

function severalBadImages(where: string, failures: readonly LearnlossError[], total: number): LearnlossError {
  const [first] = failures
  if (failures.length === 1 && first !== undefined) return first
  const named = failures.slice(0, namedImages).map(({ details }) => `${details.where} (${details.got})`)
  const more = failures.length > namedImages ? " and others" : ""
  return new LearnlossError("BAD_IMAGE", {
    where,
    expected: "only readable images",
    got: `${failures.length} of ${total} that cannot be used: ${named.join("; ")}${more}`,
    fix: "Replace these files or take them out of the folder; `learnloss data check` lists them all.",
  })
}
