import type { AnnotatedImage, AnnotatedSet } from "../annotated-set.ts"
import { countProperties } from "../losses.ts"
import { fileOf, nameImages, splitsToWrite, withoutExtension } from "../place-images.ts"
import type { BoxOrigin } from "../set-reader.ts"
import type { SetWriter } from "../set-writer.ts"
import { branch, formatXml, leaf, type XmlElement, type XmlNode } from "../xml.ts"
import { readVocObject, writeVocObject } from "./voc-object.ts"

/** Writes `JPEGImages/`, `Annotations/` and `ImageSets/Main/`; a set that was one of PASCAL VOC keeps its folders. */
export const writeVocSet: SetWriter = async (set, target) => {
  const isOwn = set.carried?.format === "voc"
  const names = isOwn ? undefined : nameImages(set, true)
  const files = new Map(set.images.map((image) => [image.id, fileIn(set, image, names)]))
  let boxes = 0
  for (const image of set.images) {
    const file = files.get(image.id) as string
    await target.putImage(image, file)
    if (image.annotation === null) continue
    boxes += image.objects.length
    countProperties(image, ["segmentation", "crowd", "joints", "head box"], target.losses)
    const xml = withoutExtension(file).replace(/JPEGImages\/(?=[^/]*$)/, "Annotations/")
    await target.putText(`${xml}.xml`, formatXml(annotationOf(image, file, target.origin)))
  }
  for (const [file, text] of splitFiles(set, files)) await target.putText(file, text)
  const carried = set.carried?.format === "voc" ? set.carried.files : []
  for (const { file, text } of carried) await target.putText(file, text)
  if (!isOwn) await target.putText(...classList(set.classNames))
  return { images: set.images.length, boxes }
}

function fileIn(set: AnnotatedSet, image: AnnotatedImage, names: ReadonlyMap<string, string> | undefined): string {
  return names === undefined ? fileOf(set, image) : `JPEGImages/${names.get(image.id)}`
}

function annotationOf(image: AnnotatedImage, file: string, origin: BoxOrigin): XmlElement {
  const objects = image.objects.map((object) => ({ object, element: writeVocObject(object, origin) }))
  if (image.carried?.format !== "voc") {
    const size = branch("size", leaf("width", image.width), leaf("height", image.height), leaf("depth", 3))
    const name = file.slice(file.lastIndexOf("/") + 1)
    const about = [leaf("folder", "JPEGImages"), leaf("filename", name), size, leaf("segmented", 0)]
    return branch("annotation", ...about, ...objects.map(({ element }) => element))
  }
  const { root } = image.carried
  const placed = new Set<XmlElement>()
  const children = root.children.flatMap((node): XmlNode[] => {
    if (!("name" in node) || node.name !== "object") return [node]
    const own = objects.find(({ object }) => object.carried?.format === "voc" && object.carried.element === node)
    // What could not be read is passed on; what could and is no longer among the objects was taken out.
    if (own === undefined) return isReadable(node, origin) ? [] : [node]
    placed.add(own.element)
    return [own.element]
  })
  const added = objects.map(({ element }) => element).filter((element) => !placed.has(element))
  return { ...root, children: [...children, ...added] }
}

function isReadable(element: XmlElement, origin: BoxOrigin): boolean {
  try {
    readVocObject(element, origin)
    return true
  } catch {
    return false
  }
}

/** Lists of stems, one for each folder that has images of a split. */
function splitFiles(set: AnnotatedSet, files: ReadonlyMap<string, string>): Map<string, string> {
  const lists = new Map<string, string>()
  for (const [split, ids] of splitsToWrite(set).splits) {
    for (const id of ids) {
      const [, room = "", stem = ""] = /^(.*\/)?JPEGImages\/([^/]*)$/.exec(withoutExtension(files.get(id) ?? "")) ?? []
      const list = `${room}ImageSets/Main/${split.replaceAll("/", "_")}.txt`
      lists.set(list, `${lists.get(list) ?? ""}${stem}\n`)
    }
  }
  return lists
}

function classList(classNames: readonly string[]): [file: string, text: string] {
  const isPlain = classNames.every((name) => !name.includes(":") && !name.startsWith("#"))
  if (!isPlain) return ["classes.txt", `${classNames.join("\n")}\n`]
  return ["labelmap.txt", `# label:color_rgb:parts:actions\n${classNames.map((name) => `${name}:::\n`).join("")}`]
}
