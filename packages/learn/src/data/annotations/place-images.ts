import { extname, posix, relative } from "node:path"
import type { AnnotatedImage, AnnotatedSet } from "./annotated-set.ts"

/** Folders that formats keep images in; they are no part of a name. */
const imageFolders = ["JPEGImages", "images", "VOCdevkit"]

/** Where an image lies in its set's folder: as its file is named, in whatever Unicode form that is. */
export function fileOf(set: AnnotatedSet, image: AnnotatedImage): string {
  return image.path === null ? image.id : relative(set.folder, image.path).replaceAll("\\", "/")
}

/**
 * Names for the images of a set in another format: their paths without the folders that only say what they hold, or
 * with `isFlat` without any folder. Where two would be the same, the folders become part of the name, else a number.
 *
 * @returns names by id, with `/` between folders
 */
export function nameImages(set: AnnotatedSet, isFlat: boolean): Map<string, string> {
  const names = new Map<string, string>()
  const taken = new Set<string>()
  for (const image of set.images) {
    const parts = fileOf(set, image)
      .split("/")
      .filter((part, index, all) => index === all.length - 1 || !imageFolders.includes(part))
    const wanted = isFlat ? [parts.at(-1) as string, parts.join("_")] : [parts.join("/")]
    const name = wanted.find((candidate) => !taken.has(keyOf(candidate))) ?? numbered(wanted.at(-1) as string, taken)
    taken.add(keyOf(name))
    names.set(image.id, name)
  }
  return names
}

/** Annotations are named without the extension, and some file systems do not tell upper from lower case. */
function keyOf(name: string): string {
  return withoutExtension(name).normalize("NFC").toLowerCase()
}

function numbered(name: string, taken: ReadonlySet<string>): string {
  for (let number = 2; ; number++) {
    const candidate = `${withoutExtension(name)}_${number}${extname(name)}`
    if (!taken.has(keyOf(candidate))) return candidate
  }
}

/** The same path without the extension of its file. */
export function withoutExtension(name: string): string {
  return name.slice(0, name.length - extname(posix.basename(name)).length)
}

/** Splits to write, of which those of single years are left out where they stand together, and ids that are in none. */
export function splitsToWrite(set: AnnotatedSet): {
  readonly splits: Map<string, readonly string[]>
  readonly rest: string[]
} {
  const splits = new Map(
    [...set.splits].filter(([name]) => !set.splits.has(posix.basename(name)) || !name.includes("/")),
  )
  const inSplits = new Set([...splits.values()].flat())
  return { splits, rest: set.images.map(({ id }) => id).filter((id) => !inSplits.has(id)) }
}
