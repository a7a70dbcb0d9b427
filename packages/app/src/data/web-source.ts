import { rm } from "node:fs/promises"
import { join } from "node:path"
import { LearnlossError } from "@learnloss/engine"
import { type DownloadOptions, download } from "./download.ts"
import type { DataFile, DataSource, SourceRequest } from "./source.ts"
import { install } from "./verify.ts"

/** Waiting times of a download; tests shorten them. */
export type Patience = Pick<DownloadOptions, "connectMs" | "idleMs">

/** A folder on the web that holds the files one by one under their names. */
export function webSource(label: string, address: string, patience: Patience = {}): DataSource {
  return {
    label,
    async obtain(request) {
      for (const file of request.files) {
        await fetchFile(`${address}/${file.name}`, file, request, patience, (temporary) =>
          install(temporary, request.folder, file, request.signal),
        )
      }
    },
  }
}

/**
 * Downloads `file` beside its final place and hands it to `accept`. A file that was continued and is refused may be a
 * mixture of two versions, so it is downloaded once more from the start.
 */
export async function fetchFile(
  url: string,
  file: DataFile,
  { folder, onProgress, signal }: SourceRequest,
  patience: Patience,
  accept: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = join(folder, `${file.name}.partial`)
  const onBytes = (done: number, total: number | undefined): void =>
    onProgress({ type: "bytes", file: file.name, done, total })
  const isContinued = await download(url, temporary, { ...patience, signal, onBytes })
  try {
    await accept(temporary)
  } catch (error) {
    if (!isContinued || !(error instanceof LearnlossError) || error.code !== "SOURCE_FAILED") throw error
    onProgress({ type: "step", text: `${file.name}: what was there before does not fit, starting again` })
    await rm(temporary, { force: true })
    await download(url, temporary, { ...patience, signal, onBytes })
    await accept(temporary)
  }
}
