import { dirname, join, relative } from "node:path"
import { LearnlossError } from "@learnloss/engine"
import type { Skeleton } from "../../people.ts"
import type { AnnotatedImage, AnnotatedSet } from "../annotated-set.ts"
import type { DefectLog } from "../defects.ts"
import { isFile, safePath } from "../folder.ts"
import { compareSize, inspectImage } from "../image-file.ts"
import { haveSameJoints } from "../joints.ts"
import { mapInOrder, type SetReadOptions } from "../set-reader.ts"
import { readCocoSkeleton } from "./coco-joints.ts"
import {
  type CocoCategoryJson,
  type CocoId,
  type CocoImageJson,
  type CocoSetJson,
  isId,
  isObject,
  isShallow,
} from "./coco-json.ts"
import { readCocoObject } from "./coco-object.ts"
import { type CocoFile, findCoco } from "./find-coco.ts"

/** An entry of `images` with the entries of `annotations` that name it, each with its place in the file. */
interface Entry {
  readonly image: CocoImageJson
  readonly annotations: { readonly json: unknown; readonly position: number }[]
  /** Other files with the same id, so that nobody knows whose the annotations are: they are the first's, to lose none. */
  readonly rivals: string[]
}

/**
 * Reads COCO's instances: a JSON file, or a folder with some. Each file is a split, named as `instances_NAME.json` says.
 * Classes are the categories in the order of the file; their ids need not be contiguous. An image without annotations
 * is an image without objects. An image that several files list is read once.
 *
 * @throws LearnlossError `NO_ANNOTATIONS`, `BAD_JSON`, `CATEGORY_CONFLICT` when a category has two names, or `SKELETON_CONFLICT` when a
 *   class has other joints in another file
 */
export async function readCocoSet(path: string, options: SetReadOptions): Promise<AnnotatedSet> {
  const { folder, files, unread } = await findCoco(path, options.wantsJoints === true)
  for (const file of unread)
    options.log.add("unused-file", "noted", file, "joints that are passed over: name this file itself to read them")
  const images = new Map<string, AnnotatedImage>()
  const splits = new Map<string, readonly string[]>()
  const sets = new Map<string, CocoSetJson>()
  const names = new Map<CocoId, string>()
  const skeletons = new Map<string, Skeleton>()
  for (const file of files) {
    const where = join(folder, file.file)
    const categories = readCategories(where, file, names, options.log)
    readSkeletons(where, categories, skeletons, options.log)
    const entries = sortEntries(where, file, options.log)
    const read = await mapInOrder(entries, options, (entry, log) => readEntry(folder, file, entry, names, log, options))
    for (const image of read) addImage(where, images, image, options.log)
    splits.set(file.split, [...new Set(read.map(({ id }) => id))])
    const { images: _, annotations: __, categories: ___, ...rest } = file.json
    if (!isShallow([rest, categories])) throw tooDeep(where)
    sets.set(file.split, { file: file.file, categories, rest })
    noteNamelessJoints(where, categories, read, options.log)
  }
  return {
    format: "coco",
    folder,
    classNames: [...new Set(names.values())],
    skeletons,
    images: [...images.values()],
    splits,
    carried: { format: "coco", sets },
  }
}

function readCategories(
  where: string,
  { json }: CocoFile,
  names: Map<CocoId, string>,
  log: DefectLog,
): CocoCategoryJson[] {
  const own = new Set<CocoId>()
  return (json.categories as unknown[]).flatMap((category, index) => {
    if (!isObject(category) || !isId(category.id) || typeof category.name !== "string") {
      log.add("unknown-class", "noted", where, `categories[${index}] lacks an id or a name: it has no objects`)
      return []
    }
    const known = names.get(category.id)
    if (known !== undefined && known !== category.name) {
      throw new LearnlossError("CATEGORY_CONFLICT", {
        where,
        expected: `category ${category.id} to be "${known}", as ${own.has(category.id) ? "before in this file" : "in the other files"}`,
        got: `"${category.name}" in categories[${index}]`,
        fix: own.has(category.id)
          ? "Give each category an id of its own."
          : "Read the files one at a time, or give their categories the same ids.",
      })
    }
    names.set(category.id, category.name)
    own.add(category.id)
    return [category as CocoCategoryJson]
  })
}

function readSkeletons(
  where: string,
  categories: readonly CocoCategoryJson[],
  skeletons: Map<string, Skeleton>,
  log: DefectLog,
): void {
  for (const category of categories) {
    const { name } = category
    const skeleton = readCocoSkeleton(category, (kind, reason) =>
      log.add(kind, "noted", where, `category "${name}": ${reason}`),
    )
    const known = skeletons.get(name)
    if (skeleton === undefined) continue
    if (known === undefined) skeletons.set(name, skeleton)
    else if (!haveSameJoints(known, skeleton)) {
      throw new LearnlossError("SKELETON_CONFLICT", {
        where,
        expected: `the ${known.names.length} joints that "${name}" had before: ${known.names.join(", ")}`,
        got: `${skeleton.names.length}: ${skeleton.names.join(", ")}`,
        fix: "Read the files one at a time, or give their categories the same joints in the same order.",
      })
    }
  }
}

function noteNamelessJoints(
  where: string,
  categories: readonly CocoCategoryJson[],
  images: readonly AnnotatedImage[],
  log: DefectLog,
): void {
  for (const { name, keypoints } of categories) {
    if (keypoints !== undefined && !(Array.isArray(keypoints) && keypoints.length === 0)) continue
    const count = images.flatMap(({ objects }) =>
      objects.filter(({ className, joints }) => className === name && joints !== undefined),
    ).length
    if (count === 0) continue
    const finding = `category "${name}" names none of the keypoints that ${count} of its annotations have: add \`keypoints\` to it`
    log.add("bad-skeleton", "noted", where, finding)
  }
}

function sortEntries(where: string, { json }: CocoFile, log: DefectLog): Entry[] {
  const entries: Entry[] = []
  const byId = new Map<CocoId, Entry>()
  for (const [index, image] of json.images.entries()) {
    const name = isObject(image) && typeof image.file_name === "string" ? image.file_name : `images[${index}]`
    if (!isObject(image) || !isId(image.id) || typeof image.file_name !== "string") {
      log.spoil(name, "unreadable-annotation", where, `${name} lacks an id or a file_name`)
    } else if (!isShallow(image)) log.spoil(name, "unreadable-annotation", where, `${name} nests too deep`)
    else {
      const entry: Entry = { image: image as CocoImageJson, annotations: [], rivals: [] }
      const same = byId.get(image.id)
      if (same === undefined) {
        byId.set(image.id, entry)
        entries.push(entry)
      } else if (same.image.file_name === name) {
        log.add(
          "duplicate-image",
          "noted",
          where,
          `${name} is listed more than once with the id ${image.id}: read once`,
        )
      } else {
        same.rivals.push(name)
        entries.push({ ...entry, rivals: [same.image.file_name] })
      }
    }
  }
  const ids = new Map<unknown, number>()
  for (const [position, annotation] of json.annotations.entries()) {
    if (isObject(annotation) && isId(annotation.id)) {
      const first = ids.get(annotation.id)
      if (first === undefined) ids.set(annotation.id, position)
      else
        log.add(
          "duplicate-id",
          "noted",
          where,
          `annotations[${position}] has the id ${annotation.id}, as annotations[${first}]`,
        )
    }
    const owner = isObject(annotation) && isId(annotation.image_id) ? annotation.image_id : undefined
    const entry = owner === undefined ? undefined : byId.get(owner)
    if (entry === undefined) log.add("other-image", "box", where, `annotations[${position}] names no image of the file`)
    else if (!isShallow(annotation)) {
      log.add("unreadable-annotation", "box", where, `annotations[${position}] nests too deep`)
    } else entry.annotations.push({ json: annotation, position })
  }
  return entries
}

async function readEntry(
  folder: string,
  file: CocoFile,
  { image, annotations, rivals }: Entry,
  names: ReadonlyMap<CocoId, string>,
  log: DefectLog,
  options: SetReadOptions,
): Promise<AnnotatedImage> {
  const where = `${join(folder, file.file)} (${image.file_name})`
  const path = await locateImage(folder, file, image.file_name, log)
  const id = path === null ? image.file_name : relative(folder, path).replaceAll("\\", "/").normalize("NFC")
  if (rivals.length > 0) {
    log.spoil(id, "duplicate-image", where, `${image.file_name} has the same id ${image.id} as ${rivals.join(", ")}`)
  }
  const header = path === null ? undefined : await inspectImage(id, path, log, options.decodes === true)
  const said = compareSize(id, where, "width and height", [image.width, image.height].map(Number), header, log)
  const objects = annotations.flatMap(({ json, position }) =>
    log.tryObject(where, `annotations[${position}]`, () => readCocoObject(json, { file: file.file, position }, names)),
  )
  return {
    id,
    path,
    width: header?.width ?? said?.width ?? 0,
    height: header?.height ?? said?.height ?? 0,
    annotation: where,
    objects,
    carried: { format: "coco", json: image },
  }
}

async function locateImage(folder: string, file: CocoFile, name: string, log: DefectLog): Promise<string | null> {
  const safe = safePath(name)
  const where = join(folder, file.file)
  if (safe === undefined) {
    log.spoil(
      name,
      "unsafe-path",
      where,
      `file_name ${JSON.stringify(name)} leads out of the folder, and is not followed`,
    )
    return null
  }
  const own = dirname(file.file)
  for (const below of [own, ".", "images", file.split, `images/${file.split}`, `${own}/images`, "JPEGImages"]) {
    const path = join(folder, below, safe)
    if (await isFile(path)) return path
  }
  log.spoil(name, "missing-image", where, `no image ${name}`)
  return null
}

/** Takes an image in; of one that other files list too, what stands there has to be the same. */
function addImage(where: string, images: Map<string, AnnotatedImage>, image: AnnotatedImage, log: DefectLog): void {
  const known = images.get(image.id)
  if (known === undefined) images.set(image.id, image)
  else if (shape(known) !== shape(image)) {
    log.spoil(image.id, "duplicate-image", where, `${image.id} is listed more than once, with different objects`)
  }
}

function shape({ objects }: AnnotatedImage): string {
  return JSON.stringify(objects.map(({ className, box, joints }) => [className, box, joints]))
}

function tooDeep(where: string): LearnlossError {
  return new LearnlossError("BAD_JSON", {
    where,
    expected: "what stands beside images and annotations to be a few levels deep",
    got: "more than 16 levels",
    fix: "Take it out: it is nothing that COCO knows.",
  })
}
