import { extname, join } from "node:path"
import { byCodePoint, isFolder, isImageName, listFiles, listFolders, stemOf } from "../folder.ts"

/** One image of a PASCAL VOC folder, or what there is of it. */
export interface VocEntry {
  /** Id when there is no image file to name it after. */
  readonly id: string
  readonly stem: string
  /** The folder's place below the set's, e.g. `VOC2007/`; empty when it is the set's own. */
  readonly room: string
  readonly annotation: string | null
  /** Image files of that stem; more than one only when they differ in their extension. */
  readonly images: readonly string[]
  /** Stems of all images of the folder. */
  readonly siblings: ReadonlySet<string>
}

/** Where below a folder the VOC folders are: `""` when it is one itself. */
export async function findRoots(folder: string): Promise<string[]> {
  if (await isRoot(folder)) return [""]
  for (const above of ["", "VOCdevkit"]) {
    const names = (await listFolders(join(folder, above))).map((name) => (above === "" ? name : `${above}/${name}`))
    const roots: string[] = []
    for (const name of names) if (await isRoot(join(folder, name))) roots.push(name)
    if (roots.length > 0) return roots
  }
  return []
}

/** Everything that a VOC folder holds an image or an annotation of, by stem in code point order. */
export async function listRoot(folder: string, root: string): Promise<VocEntry[]> {
  const room = root === "" ? "" : `${root}/`
  const imageFolder = join(folder, root, "JPEGImages")
  const annotationFolder = join(folder, root, "Annotations")
  const images = new Map<string, string[]>()
  for (const name of await listFiles(imageFolder)) {
    if (isImageName(name)) images.set(stemOf(name), [...(images.get(stemOf(name)) ?? []), join(imageFolder, name)])
  }
  const annotations = new Map<string, string>()
  for (const name of await listFiles(annotationFolder)) {
    if (extname(name).toLowerCase() === ".xml") annotations.set(stemOf(name), join(annotationFolder, name))
  }
  const stems = [...new Set([...images.keys(), ...annotations.keys()])].sort(byCodePoint)
  const siblings = new Set(images.keys())
  return stems.map((stem) => ({
    id: `${room}JPEGImages/${stem}.jpg`,
    stem,
    room,
    annotation: annotations.get(stem) ?? null,
    images: images.get(stem) ?? [],
    siblings,
  }))
}

async function isRoot(folder: string): Promise<boolean> {
  return (await isFolder(join(folder, "Annotations"))) && (await isFolder(join(folder, "JPEGImages")))
}
