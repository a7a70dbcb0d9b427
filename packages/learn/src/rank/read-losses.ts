import { readFile } from "node:fs/promises"
import { LearnlossError } from "@learnloss/engine"
import type { ImageFile } from "../frozen/image-files.ts"
import { type CsvRecord, readCsv } from "./csv.ts"

/** An image with the loss that a training elsewhere measured on it. */
export interface LossSample {
  readonly image: ImageFile
  readonly loss: number
}

/** Below this a held-out fifth says nothing. */
export const fewestLosses = 20

/** How many wrong lines an error names. */
const namedLines = 5

interface Row {
  readonly line: number
  readonly id: string
  readonly loss: number
}

/**
 * Reads per-sample losses (`id,loss` with a header; further columns are ignored) and finds the image of each. An id is a
 * path relative to the folder, with or without extension, or the file's name without extension where only one file has it.
 *
 * @returns in the order of the images
 * @throws LearnlossError `FILE_NOT_READ`, `BAD_CSV`, `BAD_LOSSES` naming the first wrong lines, `TOO_FEW_LOSSES`
 */
export async function readLosses(path: string, images: readonly ImageFile[], folder: string): Promise<LossSample[]> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new LearnlossError("FILE_NOT_READ", {
      where: path,
      expected: "a CSV file with the columns id and loss",
      got: error.code === "ENOENT" ? "no such file" : error.message,
      fix: "Check the path after --losses.",
      cause: error,
    })
  })
  const rows = readRows(text, path)
  const found = matchImages(rows, images, path, folder)
  if (found.size < fewestLosses) {
    throw new LearnlossError("TOO_FEW_LOSSES", {
      where: path,
      expected: `the losses of at least ${fewestLosses} images`,
      got: `${found.size}`,
      fix: "Write the losses of more images; a few hundred give a ranking worth using.",
    })
  }
  return images.flatMap((image) => {
    const loss = found.get(image)
    return loss === undefined ? [] : [{ image, loss }]
  })
}

function readRows(text: string, path: string): Row[] {
  const records = readCsv(text, path)
  const first: CsvRecord | undefined = records.next().value ?? undefined
  const head = first?.fields.map((name) => name.trim().toLowerCase()) ?? []
  const [idAt, lossAt] = [head.indexOf("id"), head.indexOf("loss")]
  if (idAt < 0 || lossAt < 0) {
    throw new LearnlossError("BAD_LOSSES", {
      where: `${path}, line 1`,
      expected: "a header that names the columns id and loss",
      got: head.length === 0 ? "an empty file" : head.slice(0, 8).join(","),
      fix: "Write `id,loss` as the first line, with commas between columns.",
    })
  }
  const rows: Row[] = []
  const wrong: string[] = []
  for (const { line, fields } of records) {
    const id = fields[idAt]?.trim() ?? ""
    const text = fields[lossAt]?.trim() ?? ""
    const loss = text === "" ? Number.NaN : Number(text)
    if (id === "") wrong.push(`line ${line} has no id`)
    else if (!Number.isFinite(loss)) wrong.push(`line ${line} has the loss "${text}"`)
    else rows.push({ line, id, loss })
  }
  if (wrong.length > 0) throw badLosses(path, "an id and a finite loss on every line", wrong, "Correct these lines.")
  return rows
}

function matchImages(
  rows: readonly Row[],
  images: readonly ImageFile[],
  path: string,
  folder: string,
): Map<ImageFile, number> {
  const find = imageFinder(images)
  const found = new Map<ImageFile, number>()
  const lineOf = new Map<ImageFile, number>()
  const unknown: string[] = []
  const unclear: string[] = []
  const twice: string[] = []
  for (const { line, id, loss } of rows) {
    const matches = find(id)
    const [image] = matches
    if (image === undefined) unknown.push(`"${id}" (line ${line})`)
    else if (matches.length > 1)
      unclear.push(`"${id}" (line ${line}) is ${matches.map((match) => match.id).join(" or ")}`)
    else if (found.has(image)) twice.push(`${image.id} on lines ${lineOf.get(image)} and ${line}`)
    else {
      found.set(image, loss)
      lineOf.set(image, line)
    }
  }
  if (unknown.length > 0) {
    const fix = `An id is a path relative to ${folder}, with or without extension: ${example(images)}.`
    throw badLosses(path, `ids of images in ${folder}`, unknown, fix)
  }
  if (unclear.length > 0) throw badLosses(path, "ids of one image each", unclear, "Write them with extension.")
  if (twice.length > 0) throw badLosses(path, "one loss an image", twice, "Leave one line for each image.")
  return found
}

/** Finds the images that an id may mean, by the most exact reading that fits any. */
function imageFinder(images: readonly ImageFile[]): (id: string) => readonly ImageFile[] {
  const byId = new Map(images.map((image) => [image.id, image]))
  const byStem = groupBy(images, ({ id }) => withoutExtension(id))
  const byName = groupBy(images, ({ id }) => withoutFolders(withoutExtension(id)))
  return (written) => {
    const id = written
      .normalize("NFC")
      .replaceAll("\\", "/")
      .replace(/^(\.\/)+/, "")
    const exact = byId.get(id)
    if (exact !== undefined) return [exact]
    return byStem.get(id) ?? byName.get(id) ?? []
  }
}

function groupBy(images: readonly ImageFile[], keyOf: (image: ImageFile) => string): Map<string, ImageFile[]> {
  const groups = new Map<string, ImageFile[]>()
  for (const image of images) {
    const group = groups.get(keyOf(image))
    if (group === undefined) groups.set(keyOf(image), [image])
    else group.push(image)
  }
  return groups
}

function withoutExtension(id: string): string {
  return id.replace(/\.[^./]+$/, "")
}

function withoutFolders(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1)
}

function example(images: readonly ImageFile[]): string {
  const id = images[0]?.id ?? ""
  return `${id} or ${withoutExtension(id)}`
}

function badLosses(path: string, expected: string, wrong: readonly string[], fix: string): LearnlossError {
  const more = wrong.length > namedLines ? ` and ${wrong.length - namedLines} more` : ""
  const got = `${wrong.length} wrong: ${wrong.slice(0, namedLines).join("; ")}${more}`
  return new LearnlossError("BAD_LOSSES", { where: path, expected, got, fix })
}
