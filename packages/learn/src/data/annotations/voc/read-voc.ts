import { readFile } from "node:fs/promises"
import { basename, join, posix } from "node:path"
import type { AnnotatedImage, AnnotatedObject, AnnotatedSet, CarriedFile } from "../annotated-set.ts"
import type { DefectLog } from "../defects.ts"
import { byCodePoint, isFile, isFolder, linesOf, nothingToRead, safePath, stemOf } from "../folder.ts"
import { compareSize, type ImageHeader, inspectImage } from "../image-file.ts"
import { mapInOrder, type SetReadOptions } from "../set-reader.ts"
import { child, parseXml, textOf, type XmlElement } from "../xml.ts"
import { findRoots, listRoot, type VocEntry } from "./voc-folder.ts"
import { readVocObject } from "./voc-object.ts"
import { readSplits } from "./voc-splits.ts"

/**
 * Reads PASCAL VOC folders: `JPEGImages/`, `Annotations/` and the splits in `ImageSets/Main/`, in the folder itself or
 * in folders such as `VOC2007` in it or in `VOCdevkit` in it. Classes are those of `labelmap.txt` or `classes.txt`,
 * else all that occur, in code point order. Splits of several folders are named `VOC2007/trainval` and, all years
 * together, `trainval`.
 *
 * @throws LearnlossError `NO_ANNOTATIONS` when the folder is none of PASCAL VOC
 */
export async function readVocSet(folder: string, options: SetReadOptions): Promise<AnnotatedSet> {
  const roots = await findRoots(folder)
  if (roots.length === 0) {
    throw nothingToRead(
      `voc:${folder}`,
      "a folder with JPEGImages/ and Annotations/, or with VOC2007/ or VOCdevkit/",
      (await isFolder(folder))
        ? "Give the folder that holds Annotations/."
        : "There is no such folder: check the path.",
    )
  }
  const listed = await Promise.all(roots.map((root) => listRoot(folder, root)))
  const entries = listed.flat()
  const images = await mapInOrder(entries, options, (entry, log) => readEntry(entry, log, options))
  const { splits, files } = await readSplits(folder, roots, images, options.log)
  const lists = await readClassLists(folder, roots)
  return {
    format: "voc",
    folder,
    classNames: listedClasses(lists) ?? occurringClasses(images),
    skeletons: new Map(),
    images,
    splits,
    carried: { format: "voc", files: [...files, ...lists] },
  }
}

async function readEntry(entry: VocEntry, log: DefectLog, options: SetReadOptions): Promise<AnnotatedImage> {
  const read = entry.annotation === null ? undefined : await readAnnotation(entry.annotation)
  const root = typeof read === "string" ? undefined : read
  const path = chooseImage(entry, root, log)
  const id = path === null ? entry.id : idOf(entry, path)
  if (typeof read === "string") log.spoil(id, "unreadable-annotation", entry.annotation as string, read)
  const header = path === null ? undefined : await inspectImage(id, path, log, options.decodes === true)
  if (entry.annotation === null) {
    log.spoil(id, "missing-annotation", path ?? entry.id, `no ${entry.room}Annotations/${entry.stem}.xml`)
  }
  const size = root === undefined ? undefined : checkSize(id, entry.annotation as string, root, header, log)
  return {
    id,
    path,
    width: header?.width ?? size?.width ?? 0,
    height: header?.height ?? size?.height ?? 0,
    annotation: root === undefined ? null : entry.annotation,
    objects: root === undefined ? [] : readObjects(entry.annotation as string, root, log, options),
    ...(root === undefined ? {} : { carried: { format: "voc", root } }),
  }
}

/** The annotation, or why it cannot be read. */
async function readAnnotation(file: string): Promise<XmlElement | string> {
  try {
    const root = parseXml(await readFile(file))
    return root.name === "annotation" ? root : `<${root.name}> and not <annotation>`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The image that belongs to an annotation: that of its own name, of several the one that `<filename>` says. */
function chooseImage(entry: VocEntry, root: XmlElement | undefined, log: DefectLog): string | null {
  const { images, annotation, id } = entry
  const named = root === undefined ? undefined : textOf(child(root, "filename"))
  const inFolder = named === undefined || named === "" ? undefined : safePath(named)
  if (named !== undefined && named !== "" && (inFolder === undefined || inFolder.includes("/"))) {
    log.add(
      "unsafe-path",
      "noted",
      annotation as string,
      `<filename> ${JSON.stringify(named)} is a path, and not followed`,
    )
  }
  const [first, ...others] = images
  if (first === undefined) {
    log.spoil(id, "missing-image", annotation ?? id, `no image ${entry.room}JPEGImages/${entry.stem}.*`)
    return null
  }
  if (others.length > 0) {
    const exact = images.find((path) => basename(path) === inFolder)
    const all = images.map((path) => basename(path)).join(", ")
    const chosen = exact ?? first
    if (exact !== undefined)
      log.add("duplicate-stem", "noted", annotation as string, `belongs to one of ${all}: to ${inFolder}, as it says`)
    else log.spoil(idOf(entry, chosen), "duplicate-stem", annotation ?? first, `could belong to any of ${all}`)
    return chosen
  }
  if (inFolder !== undefined && stemOf(inFolder) !== entry.stem) {
    const reason = `<filename> says ${inFolder}`
    if (entry.siblings.has(stemOf(inFolder)))
      log.spoil(idOf(entry, first), "other-image", annotation as string, `${reason}, another image of the folder`)
    else log.add("other-image", "noted", annotation as string, `${reason}, which is not there: taken for ${entry.stem}`)
  }
  return first
}

function idOf(entry: VocEntry, path: string): string {
  return `${entry.room}JPEGImages/${basename(path)}`.normalize("NFC")
}

function checkSize(
  id: string,
  file: string,
  root: XmlElement,
  header: ImageHeader | undefined,
  log: DefectLog,
): { readonly width: number; readonly height: number } | undefined {
  const size = child(root, "size")
  if (size === undefined) return undefined
  const numbers = ["width", "height"].map((name) => Number(textOf(child(size, name)) || 0))
  return compareSize(id, file, "<size>", numbers, header, log)
}

function readObjects(file: string, root: XmlElement, log: DefectLog, options: SetReadOptions): AnnotatedObject[] {
  const elements = root.children.filter((node): node is XmlElement => "name" in node && node.name === "object")
  return elements.flatMap((element, index) =>
    log.tryObject(file, `object ${index + 1}`, () => readVocObject(element, options.origin ?? "as-is")),
  )
}

function occurringClasses(images: readonly AnnotatedImage[]): string[] {
  return [...new Set(images.flatMap(({ objects }) => objects.map(({ className }) => className)))].sort(byCodePoint)
}

/** CVAT's `labelmap.txt` and `classes.txt`, whichever there are. */
async function readClassLists(folder: string, roots: readonly string[]): Promise<CarriedFile[]> {
  const lists: CarriedFile[] = []
  for (const root of new Set(["", ...roots])) {
    for (const name of ["labelmap.txt", "classes.txt"]) {
      const file = posix.join(root, name)
      if (await isFile(join(folder, file))) lists.push({ file, text: await readFile(join(folder, file), "utf8") })
    }
  }
  return lists
}

/** The classes of the first list that names any; lines of `labelmap.txt` are name:colour:parts:actions. */
function listedClasses(lists: readonly CarriedFile[]): string[] | undefined {
  for (const { file, text } of lists) {
    const lines = linesOf(text)
    if (file.endsWith("classes.txt")) return lines
    const names = lines.filter((line) => !line.startsWith("#")).map((line) => line.split(":")[0] as string)
    if (names.length > 0) return names.filter((name) => name !== "background")
  }
  return undefined
}
