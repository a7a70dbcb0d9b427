import { constants } from "node:fs"
import { copyFile, link, mkdir, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import { InternalError, LearnlossError } from "@learnloss/engine"
import type { AnnotatedSet, WrittenFormat } from "./annotated-set.ts"
import { writeCocoSet } from "./coco/write-coco.ts"
import { countCarried, type Loss, Losses } from "./losses.ts"
import type { BoxOrigin } from "./set-reader.ts"
import type { SetWriter, WriteTarget, WrittenCounts } from "./set-writer.ts"
import { writeVocSet } from "./voc/write-voc.ts"
import { writeYoloSet } from "./yolo/write-yolo.ts"

const writers = {
  voc: writeVocSet,
  coco: writeCocoSet,
  yolo: writeYoloSet,
} as const satisfies Record<WrittenFormat, SetWriter>

/** How image files come to where a set is written. */
export const imageTransfers = ["copy", "link"] as const
export type ImageTransfer = (typeof imageTransfers)[number]

export interface SetWriteOptions {
  readonly format: WrittenFormat
  /** Must not exist, or be empty. */
  readonly folder: string
  /** `link` makes hard links, which take no room but are the same file; default `copy`. */
  readonly images?: ImageTransfer | undefined
  /** Of PASCAL VOC's numbers; default `as-is`. */
  readonly origin?: BoxOrigin | undefined
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** What became of a set that was written. */
export interface WrittenSet extends WrittenCounts {
  /** What the format has no place for. */
  readonly losses: readonly Loss[]
}

/**
 * Writes annotated images into a new folder; in the format that they were read in, everything that it held stands there
 * again. Nothing is left behind when it fails: it is written beside the folder, which is there only when all is.
 *
 * @returns what was written, and what the format has no place for
 * @throws LearnlossError `FOLDER_NOT_EMPTY`, or the file system's errors
 */
export async function writeAnnotatedSet(set: AnnotatedSet, options: SetWriteOptions): Promise<WrittenSet> {
  const folder = resolve(options.folder)
  await requireEmpty(folder)
  const unfinished = `${folder}.unfinished-${process.pid}`
  const losses = new Losses()
  if (set.format !== options.format) countCarried(set, losses)
  await mkdir(unfinished, { recursive: true })
  try {
    const counts = await writers[options.format](set, makeTarget(set, unfinished, losses, options))
    // Empty when it was looked at; should something have come into it since, it stays and this fails.
    await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error
    })
    await rename(unfinished, folder)
    return { ...counts, losses: losses.list() }
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    throw error
  }
}

function makeTarget(set: AnnotatedSet, folder: string, losses: Losses, options: SetWriteOptions): WriteTarget {
  let done = 0
  const at = (file: string): string => {
    const path = resolve(folder, file)
    if (!path.startsWith(`${folder}/`) && !path.startsWith(`${folder}\\`))
      throw new InternalError(`${file} leaves ${folder}`)
    return path
  }
  return {
    folder,
    losses,
    origin: options.origin ?? "as-is",
    async putImage(image, file) {
      options.signal?.throwIfAborted()
      if (image.path === null) losses.add("files of images: missing, so that only their annotation is written")
      else await transfer(image.path, at(file), options.images ?? "copy")
      options.onProgress?.(++done, set.images.length)
    },
    async putText(file, text) {
      options.signal?.throwIfAborted()
      await mkdir(dirname(at(file)), { recursive: true })
      await writeFile(at(file), text)
    },
  }
}

async function transfer(from: string, to: string, how: ImageTransfer): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  if (how === "copy") return await copyFile(from, to, constants.COPYFILE_EXCL)
  // Links do not reach other file systems, and some have none.
  await link(from, to).catch(() => copyFile(from, to, constants.COPYFILE_EXCL))
}

async function requireEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) =>
    error.code === "ENOENT" ? [] : undefined,
  )
  if (entries?.length === 0) return
  throw new LearnlossError("FOLDER_NOT_EMPTY", {
    where: folder,
    expected: "a folder that does not exist or is empty",
    got: entries === undefined ? "something that is no folder" : `one with ${join(entries[0] as string)} in it`,
    fix: "Name another folder, or remove what is there.",
  })
}
