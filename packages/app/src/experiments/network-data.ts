import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { networkDataSchema } from "@learnloss/contract"
import { atomicWrite, LearnlossError } from "@learnloss/engine"
import type { ExportedData } from "@learnloss/learn"
import { runFiles } from "./run-files.ts"

/** Writes down what a run's networks need to be written to a file, when that was not done yet. */
export function keepNetworkData(folder: string, data: ExportedData): void {
  const path = join(folder, runFiles.network)
  if (existsSync(path)) return
  const { imageShape, classNames, normalization, skeleton } = data
  const kept = { imageShape, classNames, normalization, ...(skeleton && { skeleton }) }
  atomicWrite(path, `${JSON.stringify(kept, null, 2)}\n`)
}

/**
 * Reads what `keepNetworkData` wrote.
 *
 * @throws LearnlossError `RUN_FILE_INVALID`
 */
export function readNetworkData(folder: string): ExportedData {
  const path = join(folder, runFiles.network)
  const refuse = (got: string) =>
    new LearnlossError("RUN_FILE_INVALID", {
      where: path,
      expected: "image size, class names and normalisation of the run's data",
      got,
      fix: `Write it again with \`learnloss resume ${folder}\`.`,
    })
  let input: unknown
  try {
    input = JSON.parse(readFileSync(path, "utf8"))
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error))
  }
  const parsed = networkDataSchema.safeParse(input)
  if (!parsed.success) throw refuse("something else")
  const { skeleton, ...rest } = parsed.data
  return { ...rest, ...(skeleton && { skeleton }) }
}
