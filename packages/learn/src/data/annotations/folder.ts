import { readdir, readFile, stat } from "node:fs/promises"
import { extname, join, posix } from "node:path"
import { LearnlossError } from "@learnloss/engine"
import { imageExtensions } from "../decode-image.ts"

/** Files in a folder by name, in code point order, hidden ones left out; none when there is no such folder. */
export async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .sort(byCodePoint)
}

/** Folders in a folder by name, in code point order, links to folders among them, hidden ones left out. */
export async function listFolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const names: string[] = []
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue
    if (entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(join(folder, entry.name))))) {
      names.push(entry.name)
    }
  }
  return names.sort(byCodePoint)
}

/** Paths of the images below a folder, relative to it and with `/`, in code point order. */
export async function listImagesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])
  return entries
    .filter((entry) => !entry.isDirectory() && isImageName(entry.name) && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, "/").length).replaceAll("\\", "/"))
    .sort(byCodePoint)
}

/** Whether there is such a folder. */
export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false
}

/** Whether there is such a file. */
export async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false
}

/** Whether a file's name ends as those of images do that are read. */
export function isImageName(name: string): boolean {
  const extension = extname(name).toLowerCase()
  return imageExtensions.some((known) => known === extension)
}

/** A file's name without its folder and extension, in Unicode's composed form. */
export function stemOf(name: string): string {
  const base = posix.basename(name.replaceAll("\\", "/"))
  return base.slice(0, base.length - extname(base).length).normalize("NFC")
}

/**
 * A path out of a file as one that cannot leave the folder it is meant for: relative, with `/`, without `.` and `..`;
 * undefined when it would.
 */
export function safePath(text: string): string | undefined {
  const path = text.trim().replaceAll("\\", "/")
  if (path === "" || path.includes("\0") || path.startsWith("/") || /^[a-z]:/i.test(path)) return undefined
  const normal = posix.normalize(path)
  return normal === "." || normal === ".." || normal.startsWith("../") ? undefined : normal
}

/** Lines of a text file without what is empty; none when it cannot be read. */
export async function readLines(path: string): Promise<string[]> {
  return linesOf(await readFile(path, "utf8").catch(() => ""))
}

/** Lines of a text without what is empty and without the white space around them. */
export function linesOf(text: string): string[] {
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "")
}

/** Orders text the same on every machine. */
export function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** For readers that find nothing of their format. */
export function nothingToRead(where: string, expected: string, fix: string): LearnlossError {
  return new LearnlossError("NO_ANNOTATIONS", { where, expected, got: "nothing of that kind", fix })
}
