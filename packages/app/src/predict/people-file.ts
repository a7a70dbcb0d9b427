import { readFileSync } from "node:fs"
import { basename, extname, resolve } from "node:path"
import { LearnlossError } from "@learnloss/engine"
import { type Box, cropAround, type FileSize, type PersonCrop } from "@learnloss/learn"
import { shownScore } from "../report/shown-score.ts"

/** A person that a file names in an image. */
export interface NamedPerson {
  /** What of it lies in the image, in pixels: as in training, the crop is made around that. */
  readonly box: Box
  readonly crop: PersonCrop
}

/** Where people are in images. */
export interface People {
  /** Those in an image of a size, in the order of the file. */
  of(path: string, size: FileSize): readonly NamedPerson[]
  /** What the file calls an image; undefined for one that it does not name. */
  imageIdOf(path: string): number | string | undefined
}

/** A COCO file's images and annotations, or a bare list of detections, as far as anything can be relied on. */
interface Entry {
  readonly [name: string]: unknown
}

/**
 * Reads boxes of people from a COCO file, which may be what a detector found (`predict --format coco`), or from a list of
 * detections (`image_id`, `bbox`, maybe `category_id` and `score`). An image is found by as much of the end of its path as the
 * file names alone, in a bare list by its name without ending (`000000000139` for 139). Where categories are named and one is
 * "person", others are left out, and so are crowds, boxes without area in the image and detections with a score below the one
 * that reports show.
 *
 * @throws LearnlossError `PEOPLE_NOT_READ` for a file that is no such JSON, or names nobody
 */
export function readPeople(file: string): People {
  const content = parse(file)
  const annotations = Array.isArray(content) ? content : listIn(content, "annotations")
  if (annotations === undefined) throw notRead(file, "no list of annotations")
  const named = Array.isArray(content) ? [] : (listIn(content, "images") ?? [])
  const images = imagesByEnd(named)
  const persons = personCategories(content)
  const people = new Map<string, Box[]>()
  for (const annotation of annotations.filter(isEntry)) {
    const { image_id: id, category_id: category, score, bbox, iscrowd } = annotation
    if (!isId(id) || iscrowd === 1 || iscrowd === true) continue
    if (persons !== undefined && !persons.has(category)) continue
    if (typeof score === "number" && score < shownScore) continue
    const box = boxOf(bbox)
    if (box === undefined) continue
    const own = people.get(String(id)) ?? []
    people.set(String(id), [...own, box])
  }
  if (people.size === 0) throw notRead(file, "nobody")
  const imageIdOf = (path: string): number | string | undefined => {
    const end = endsOf(resolve(path)).find((each) => images.has(each))
    if (end !== undefined || named.length > 0) return images.get(end ?? "")
    const stem = basename(path, extname(path))
    const whole = Number(stem)
    return people.has(stem) ? stem : people.has(String(whole)) ? whole : undefined
  }
  const boxesOf = (path: string): readonly Box[] => people.get(String(imageIdOf(path))) ?? []
  return { imageIdOf, of: (path, size) => boxesOf(path).flatMap((box) => personIn(box, size) ?? []) }
}

/** What images are called, by their names and every end of these that belongs to one alone: undefined for the others. */
function imagesByEnd(named: readonly unknown[]): ReadonlyMap<string, number | string | undefined> {
  const [whole, ends] = [new Map<string, number | string>(), new Map<string, number | string | undefined>()]
  for (const { id, file_name: name } of named.filter(isEntry)) {
    if (typeof name !== "string" || !isId(id)) continue
    const [first = name, ...rest] = endsOf(name)
    whole.set(first, id)
    for (const end of rest) ends.set(end, ends.has(end) && ends.get(end) !== id ? undefined : id)
  }
  return new Map([...ends, ...whole])
}

/** A path, then what is left of it without its first folders. */
function endsOf(path: string): string[] {
  const parts = path.split(/[\\/]+/)
  return parts.map((_, index) => parts.slice(index).join("/"))
}

function personIn([x1, y1, x2, y2]: Box, { width, height }: FileSize): NamedPerson | undefined {
  const box: Box = [Math.max(0, x1), Math.max(0, y1), Math.min(width, x2), Math.min(height, y2)]
  return box[2] > box[0] && box[3] > box[1] ? { box, crop: cropAround(box) } : undefined
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
