import type { Dirent } from "node:fs"
import { readdir, stat } from "node:fs/promises"
import { extname, join } from "node:path"
import { LearnlossError } from "@learnloss/engine"
import { imageExtensions } from "./decode-image.ts"
import type { DataDefect } from "./reader.ts"

/** The images of one class, by file name in code point order. */
export interface ClassFolder {
  readonly className: string
  readonly path: string
  readonly files: readonly string[]
}

type Report = (defect: DataDefect) => void

/** Lists `class/image` below a folder, classes in code point order; what is neither is reported, never skipped silently. */
export async function listClassFolders(folder: string, report: Report): Promise<ClassFolder[]> {
  const classes: ClassFolder[] = []
  for (const entry of await listEntries(folder)) {
    const path = join(folder, entry.name)
    if (entry.name.startsWith(".")) leaveOut(report, path, "hidden files and folders are left out")
    else if (await isDirectory(path, entry)) {
      classes.push({ className: entry.name, path, files: await listImages(path, report) })
    } else if (isImageName(entry.name)) leaveOut(report, path, "an image outside every class folder is left out")
    else leaveOut(report, path, "no class folder")
  }
  return classes
}

/** True when `folder/name` is a folder that holds folders, i.e. a split and not a class. */
export async function isSplitFolder(folder: string, name: string): Promise<boolean> {
  const path = join(folder, name)
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    if (!entry.name.startsWith(".") && (await isDirectory(join(path, entry.name), entry))) return true
  }
  return false
}

/**
 * The entries of a folder in code point order, whatever the locale.
 *
 * @throws LearnlossError `FOLDER_NOT_READ`
 */
export async function listEntries(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new LearnlossError("FOLDER_NOT_READ", {
      where: folder,
      expected: "a folder of images",
      got: error.code === "ENOENT" ? "no such folder" : error.code === "ENOTDIR" ? "a file" : error.message,
      fix: "Check the path after `images:`.",
      cause: error,
    })
  })
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function listImages(folder: string, report: Report): Promise<string[]> {
  const files: string[] = []
  for (const entry of await listEntries(folder)) {
    const path = join(folder, entry.name)
    if (entry.name.startsWith(".")) leaveOut(report, path, "hidden files and folders are left out")
    else if (await isDirectory(path, entry)) leaveOut(report, path, "a folder inside a class folder is left out")
    else if (isImageName(entry.name)) files.push(entry.name)
    else leaveOut(report, path, `no image: only ${imageExtensions.join(", ")} are read`)
  }
  return files
}

function leaveOut(report: Report, file: string, reason: string): void {
  report({ file, reason, isFatal: false })
}

function isImageName(name: string): boolean {
  const extension = extname(name).toLowerCase()
  return imageExtensions.some((known) => known === extension)
}

async function isDirectory(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory()
  const target = await stat(path).catch(() => undefined)
  return target?.isDirectory() ?? false
}
