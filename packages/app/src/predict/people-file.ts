import { readFileSync } from "node:fs"
import { basename, extname, resolve } from "node:path"
import { LearnlossError } from "@learnloss/engine"
import { type Box, cropAround, type FileSize, type PersonCrop } from "@learnloss/learn"
import { formatCount, plural } from "../report/format.ts"

/** A person that a file names in an image. */
export interface NamedPerson {
  /** What of it lies in the image, in pixels: as in training, the crop is made around that. */
  readonly box: Box
  readonly crop: PersonCrop
}

/** A box of a person, and where the file has it. */
export interface PlacedBox {
  readonly place: string
  readonly box: Box
}

/** Where people are in images. */
export interface People {
  /** Those in an image of a size, in the order of the file. */
  of(path: string, size: FileSize): readonly NamedPerson[]
  /** Boxes that lie wholly outside an image of a size. */
  outside(path: string, size: FileSize): readonly PlacedBox[]
  /** What the file calls an image; undefined for one that it does not name. */
  imageIdOf(path: string): number | string | undefined
  /** Lines that say which boxes of the file are not looked at. */
  readonly leftOut: readonly string[]
}

/** A COCO file's images and annotations, or a bare list of detections, as far as anything can be relied on. */
interface Entry {
  readonly [name: string]: unknown
}

/**
 * Reads boxes of people from a COCO file, which may be what a detector found (`predict --format coco`), or from a list of
 * detections (`image_id`, `bbox`, maybe `category_id` and `score`). An image is found by as much of the end of its path as the
 * file names alone, in a bare list by its name without ending (`000000000139` for 139). Where categories are named and one is
 * "person", others are left out, and so are crowds; boxes with a score below the threshold are counted, those without area
 * told. A box without a score always counts.
 *
 * @param threshold least score of a box that has one, 0..1
 * @throws LearnlossError `FILE_NOT_READ`; `PEOPLE_NOT_READ` for a file that is no such JSON, or leaves nobody
 */
export function readPeople(file: string, threshold: number): People {
  const content = parse(file)
  const annotations = Array.isArray(content) ? content : listIn(content, "annotations")
  if (annotations === undefined) throw notRead(file, "no list of annotations")
  const named = Array.isArray(content) ? [] : (listIn(content, "images") ?? [])
  const images = imagesByEnd(named)
  const persons = personCategories(content)
  const people = new Map<string, PlacedBox[]>()
  const withoutBox: string[] = []
  let below = 0
  for (const [index, annotation] of annotations.entries()) {
    if (!isEntry(annotation)) continue
    const { id: own = index, image_id: id, category_id: category, score, bbox, iscrowd } = annotation
    if (!isId(id)) continue
    const boxes = people.get(String(id)) ?? []
    // An image whose boxes are all left out is named nonetheless.
    people.set(String(id), boxes)
    if (iscrowd === 1 || iscrowd === true) continue
    if (persons !== undefined && !persons.has(category)) continue
    const box = boxOf(bbox)
    const place = `annotation ${own} of image ${id}`
    if (box === undefined) withoutBox.push(place)
    else if (typeof score === "number" && score < threshold) below++
    else boxes.push({ place, box })
  }
  if ([...people.values()].every(({ length }) => length === 0)) {
    throw nobody(file, annotations, { below, withoutBox: withoutBox.length, threshold })
  }
  const imageIdOf = (path: string): number | string | undefined => {
    const end = endsOf(resolve(path)).find((each) => images.has(each))
    if (end !== undefined || named.length > 0) return images.get(end ?? "")
    const stem = basename(path, extname(path))
    const whole = Number(stem)
    return people.has(stem) ? stem : people.has(String(whole)) ? whole : undefined
  }
  const boxesOf = (path: string): readonly PlacedBox[] => people.get(String(imageIdOf(path))) ?? []
  return {
    imageIdOf,
    of: (path, size) => boxesOf(path).flatMap(({ box }) => personIn(box, size) ?? []),
    outside: (path, size) => boxesOf(path).filter(({ box }) => personIn(box, size) === undefined),
    leftOut: [
      ...(below === 0 ? [] : [`${belowOf(below, threshold)} left out (--people-threshold)`]),
      ...firstOf(withoutBox.map((place) => `${file}: ${place} has no box with an area: left out`)),
    ],
  }
}

/** Lines of which there may be thousands: the first, and how many there are besides. */
export function firstOf(lines: readonly string[]): string[] {
  const more = lines.length - mostLines
  return more <= 0 ? [...lines] : [...lines.slice(0, mostLines), `and ${formatCount(more)} more like that`]
}

const mostLines = 5

/** Says why a file leaves nobody. */
function nobody(
  file: string,
  annotations: readonly unknown[],
  { below, withoutBox, threshold }: { readonly below: number; readonly withoutBox: number; readonly threshold: number },
): LearnlossError {
  const more = withoutBox === 0 ? "" : `, and ${formatCount(withoutBox)} without a box that has an area`
  if (below > 0) {
    return notRead(file, `${belowOf(below, threshold)}${more}`, { fix: "Give a lower --people-threshold." })
  }
  if (withoutBox > 0) return notRead(file, `${plural(withoutBox, "annotation")} without a box that has an area`)
  const isMpii = annotations.filter(isEntry).some((entry) => "joints" in entry || "joint_self" in entry)
  if (!isMpii) return notRead(file, "nobody")
  return notRead(file, "MPII's list of people, which has no boxes", {
    fix: "Write it as COCO with `learnloss data convert mpii:DIR coco:TO`, and give a file of TO/annotations.",
  })
}

/** How many boxes score less than the threshold, in words. */
function belowOf(count: number, threshold: number): string {
  return `${formatCount(count)} box${count === 1 ? "" : "es"} with a score below ${threshold}`
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
  const text = readText(file)
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""))
  } catch (cause) {
    throw notRead(file, text.trim() === "" ? "an empty file" : "a file that is no JSON", { cause })
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8")
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const reasons: Record<string, string> = { ENOENT: "no such file", EISDIR: "a folder" }
    throw new LearnlossError("FILE_NOT_READ", {
      where: file,
      expected: wanted,
      got: reasons[code ?? ""] ?? message,
      fix: "Check the path after --people.",
      cause,
    })
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

const wanted = "a COCO file with boxes of people, or a list of detections"

function notRead(where: string, got: string, more: { readonly fix?: string; readonly cause?: unknown } = {}) {
  return new LearnlossError("PEOPLE_NOT_READ", {
    where,
    expected: wanted,
    got,
    fix: "Give what `learnloss predict --format coco` of a detector wrote, or an annotation file.",
    ...more,
  })
}
