import { readdirSync, statSync } from "node:fs"
import { basename, join, sep } from "node:path"
import { LearnlossError } from "@learnloss/engine"
import { imageExtensions, listImageFiles } from "@learnloss/learn"

/** An image that was asked for. */
export interface AskedImage {
  readonly path: string
  /** Name below a folder of drawings: where it stands in its folder, or its file's name. */
  readonly name: string
}

/**
 * The image files that some arguments name: files, folders with all that is below them, and patterns for shells that leave
 * them as they are (`*` and `?` inside a name, `**` for folders of any depth). Each file once, in the order of arguments.
 *
 * A file that is named is taken whatever its name; that it cannot be read, or is not there, is told later, in its place
 * among the others.
 *
 * @throws LearnlossError `NO_IMAGES` for a folder without images and a pattern that fits none, `FOLDER_NOT_READ`
 */
export async function listImages(given: readonly string[]): Promise<readonly AskedImage[]> {
  const images = new Map<string, AskedImage>()
  for (const argument of given) {
    for (const image of await imagesOf(argument)) if (!images.has(image.path)) images.set(image.path, image)
  }
  return [...images.values()]
}

async function imagesOf(argument: string): Promise<readonly AskedImage[]> {
  const found = statSync(argument, { throwIfNoEntry: false })
  if (found?.isDirectory()) {
    const { images } = await listImageFiles(argument, "IMAGE")
    return images.map(({ id, path }) => ({ path, name: id }))
  }
  if (found !== undefined || !isPattern(argument)) return [{ path: argument, name: basename(argument) }]
  const matching = matchFiles(argument)
  if (matching.length > 0) return matching
  throw new LearnlossError("NO_IMAGES", {
    where: argument,
    expected: "a pattern that images fit",
    got: "none that does",
    fix: "Check the path; * and ? stand for parts of names, ** for folders of any depth, as in photos/**/*.jpg.",
  })
}

function isPattern(argument: string): boolean {
  return /[*?]/.test(argument)
}

function matchFiles(pattern: string): AskedImage[] {
  const parts = pattern.split(sep === "\\" ? /[\\/]/ : "/")
  const firstWild = parts.findIndex(isPattern)
  const folder = parts.slice(0, firstWild).join("/") || (pattern.startsWith("/") ? "/" : ".")
  const fits = expressionOf(parts.slice(firstWild))
  return filesBelow(folder)
    .filter((name) => fits.test(name))
    .map((name) => ({ path: folder === "." ? name : join(folder, name), name }))
}

/** A pattern's parts as an expression for paths with `/`. */
function expressionOf(parts: readonly string[]): RegExp {
  const source = parts.map((part, index) => {
    const isLast = index === parts.length - 1
    if (part === "**") return isLast ? ".*" : "(?:[^/]+/)*"
    const literal = part.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    return `${literal.replaceAll(/\*+/g, "[^/]*").replaceAll("?", "[^/]")}${isLast ? "" : "/"}`
  })
  return new RegExp(`^${source.join("")}$`)
}

/** Images below a folder in code point order, with `/`; hidden ones are left out. */
function filesBelow(folder: string): string[] {
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false
  if (!isFolder) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) =>
      path
        .slice(folder === "." ? 0 : folder === "/" ? 1 : folder.length + 1)
        .split(sep)
        .join("/"),
    )
    .filter((name) => !name.split("/").some((part) => part.startsWith(".")))
    .filter((name) => imageExtensions.some((extension) => name.toLowerCase().endsWith(extension)))
    .sort((a, b) => (a < b ? -1 : 1))
}
