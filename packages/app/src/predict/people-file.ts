import { readFileSync } from "node:fs"
import { basename, dirname, extname, resolve } from "node:path"
import { LearnlossError } from "@learnloss/engine"
import { type Box, cropAround, type PersonCrop } from "@learnloss/learn"
import { shownScore } from "../report/shown-score.ts"

/** A person that a file names in an image. */
export interface NamedPerson {
  /** In pixels of the image. */
  readonly box: Box
  readonly crop: PersonCrop
}

/** Where people are in images. */
export interface People {
  /** Those in an image, in the order of the file. */
  of(path: string): readonly NamedPerson[]
  /** What the file calls an image; undefined for one that it does not name. */
  imageIdOf(path: string): number | string | undefined
}

/** A COCO file's images and annotations, or a bare list of detections, as far as anything can be relied on. */
interface Entry {
  readonly [name: string]: unknown
}

/**
 * Reads boxes of people from a COCO file, which may be what a detector found (`predict --format coco`), or from a list of
 * detections (`image_id`, `bbox`, maybe `category_id` and `score`). An image is found by its path or name, in a bare list by
 * its name without ending (`000000000139` for 139). Where categories are named and one is "person", others are left out, and
 * so are crowds, boxes without area and detections with a score below the one that reports show.
 *
 * @throws LearnlossError `PEOPLE_NOT_READ` for a file that is no such JSON, or names nobody
 */
export function readPeople(file: string): People {
  const content = parse(file)
  const images = new Map<string, number | string>()
  const annotations = Array.isArray(content) ? content : listIn(content, "annotations")
  if (annotations === undefined) throw notRead(file, "no list of annotations")
  const named = Array.isArray(content) ? [] : (listIn(content, "images") ?? [])
  for (const { id, file_name: name } of named.filter(isEntry)) {
    if (typeof name !== "string" || !isId(id)) continue
    for (const key of [name, resolve(name), resolve(dirname(file), name)]) images.set(key, id)
    if (!images.has(basename(name))) images.set(basename(name), id)
  }
  const persons = personCategories(content)
  const people = new Map<string, NamedPerson[]>()
  for (const annotation of annotations.filter(isEntry)) {
    const { image_id: id, category_id: category, score, bbox, iscrowd } = annotation
    if (!isId(id) || iscrowd === 1 || iscrowd === true) continue
    if (persons !== undefined && !persons.has(category)) continue
    if (typeof score === "number" && score < shownScore) continue
    const box = boxOf(bbox)
    if (box === undefined) continue
    const own = people.get(String(id)) ?? []
    people.set(String(id), [...own, { box, crop: cropAround(box) }])
  }
  if (people.size === 0) throw notRead(file, "nobody")
  const imageIdOf = (path: string): number | string | undefined => {
    const known = images.get(path) ?? images.get(resolve(path)) ?? images.get(basename(path))
    if (known !== undefined || named.length > 0) return known
    const stem = basename(path, extname(path))
    const whole = Number(stem)
    return people.has(stem) ? stem : people.has(String(whole)) ? whole : undefined
  }
  return { imageIdOf, of: (path) => people.get(String(imageIdOf(path))) ?? [] }
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"))
  } catch (error) {
    throw notRead(file, error instanceof Error ? error.message : String(error), error)
  }
}

function isEntry(value: unknown): value is Entry {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function isId(value: unknown): value is number | string {
  return typeof value === "number" || typeof value === "string"
}

function listIn(content: unknown, name: string): readonly unknown[] | undefined {
  const list = isEntry(content) ? content[name] : undefined
  return Array.isArray(list) ? list : undefined
}

/** Ids of the categories that are people; undefined where none says so, and all are taken for people. */
function personCategories(content: unknown): ReadonlySet<unknown> | undefined {
  const categories = (listIn(content, "categories") ?? []).filter(isEntry)
  const persons = categories.filter(({ name }) => typeof name === "string" && name.toLowerCase() === "person")
  return persons.length === 0 ? undefined : new Set(persons.map(({ id }) => id))
}

/** Corners of [x, y, width, height]; undefined where that is no box with an area. */
function boxOf(value: unknown): Box | undefined {
  if (!Array.isArray(value) || value.length !== 4 || !value.every(Number.isFinite)) return undefined
  const [x, y, width, height] = value as [number, number, number, number]
  return width > 0 && height > 0 ? [x, y, x + width, y + height] : undefined
}

function notRead(where: string, got: string, cause?: unknown): LearnlossError {
  return new LearnlossError("PEOPLE_NOT_READ", {
    where,
    expected: "a COCO file with boxes of people, or a list of detections",
    got,
    fix: "Give what `learnloss predict --format coco` of a detector wrote, or an annotation file.",
    cause,
  })
}
