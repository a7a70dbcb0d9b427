import { readdir, realpath, stat } from "node:fs/promises"
import { extname, join } from "node:path"
import { LearnlossError } from "@learnloss/engine"
import { imageExtensions } from "../data/decode-image.ts"

/** One image file of a folder. */
export interface ImageFile {
  /** Path relative to the folder that was searched, with `/`, in Unicode's composed form. */
  readonly id: string
  readonly path: string
  /** The same file under another name has the same. */
  readonly realPath: string
}

/** Images of other formats, which are counted so that nobody wonders where they went. */
const otherImageExtensions = [".bmp", ".gif", ".tif", ".tiff", ".heic", ".avif"]

/** What a folder holds. */
export interface ImageListing {
  /** In code point order of their ids. */
  readonly images: readonly ImageFile[]
  /** Images of formats that are not read. */
  readonly unreadFormats: number
}

/**
 * Lists the JPEG, PNG and WebP files below a folder; hidden files and folders are left out, and a folder that a symbolic
 * link leads to twice is read once.
 *
 * @param option names the folder in errors, e.g. `--pool`
 * @throws LearnlossError `FOLDER_NOT_READ`, or `NO_IMAGES` for a folder without any
 */
export async function listImageFiles(folder: string, option: string): Promise<ImageListing> {
  const images: ImageFile[] = []
  const seen = new Set<string>()
  let unreadFormats = 0
  const waiting = [{ path: folder, id: "" }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { path, id } = next
    const [real, entries] = await Promise.all([realpath(path), readdir(path, { withFileTypes: true })]).catch(
      (error: NodeJS.ErrnoException) => {
        throw notRead(path, option, error)
      },
    )
    if (seen.has(real)) continue
    seen.add(real)
    for (const entry of entries) {
      if (entry.name.startsWith(".")) continue
      const child = { path: join(path, entry.name), id: id === "" ? entry.name : `${id}/${entry.name}` }
      const isLink = entry.isSymbolicLink()
      const target = isLink ? await stat(child.path).catch(() => undefined) : entry
      const extension = extname(entry.name).toLowerCase()
      if (target === undefined) continue
      if (target.isDirectory()) waiting.push(child)
      else if (imageExtensions.some((known) => known === extension)) {
        const realPath = isLink ? await realpath(child.path) : join(real, entry.name)
        images.push({ id: child.id.normalize("NFC"), path: child.path, realPath })
      } else if (otherImageExtensions.includes(extension)) unreadFormats++
    }
  }
  if (images.length === 0) throw noImages(folder, option, unreadFormats)
  images.sort((a, b) => (a.id < b.id ? -1 : 1))
  return { images, unreadFormats }
}

function notRead(path: string, option: string, error: NodeJS.ErrnoException): LearnlossError {
  const reasons: Record<string, string> = { ENOENT: "no such folder", ENOTDIR: "a file" }
  return new LearnlossError("FOLDER_NOT_READ", {
    where: `${option} ${path}`,
    expected: "a folder of images",
    got: reasons[error.code ?? ""] ?? error.message,
    fix: `Check the path after ${option}.`,
    cause: error,
  })
}

function noImages(folder: string, option: string, unreadFormats: number): LearnlossError {
  return new LearnlossError("NO_IMAGES", {
    where: `${option} ${folder}`,
    expected: `images (${imageExtensions.join(", ")}) in this folder or below it`,
    got: unreadFormats === 0 ? "none" : `none, but ${unreadFormats} of other formats`,
    fix: unreadFormats === 0 ? `Check the path after ${option}.` : "Convert them to one of these formats.",
  })
}
