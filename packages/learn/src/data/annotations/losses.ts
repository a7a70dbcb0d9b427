import type { AnnotatedImage, AnnotatedObject, AnnotatedSet } from "./annotated-set.ts"

/** What was written of a set without, e.g. `12 objects: crowd`. */
export interface Loss {
  readonly what: string
  readonly count: number
}

/** Counts what a format has no place for. */
export class Losses {
  readonly #counts = new Map<string, number>()

  add(what: string, count = 1): void {
    if (count > 0) this.#counts.set(what, (this.#counts.get(what) ?? 0) + count)
  }

  list(): Loss[] {
    return [...this.#counts].map(([what, count]) => ({ what, count }))
  }
}

/** How far areas are apart at most that are the same but for rounding, as a share. */
const roundedShare = 0.01

const properties = {
  difficult: ({ isDifficult }) => isDifficult === true,
  truncated: ({ isTruncated }) => isTruncated === true,
  occluded: ({ isOccluded }) => isOccluded === true,
  crowd: ({ isCrowd }) => isCrowd === true,
  pose: ({ pose }) => pose !== undefined && pose !== "Unspecified",
  segmentation: ({ segmentation }) => segmentation !== undefined && Object.keys(segmentation).length > 0,
  joints: ({ joints }) => joints !== undefined,
  "head box": ({ head }) => head?.from === "head box",
  "area of people, where it is not that of the box": ({ joints, area, box: [left, top, right, bottom] }) => {
    const ofBox = (right - left) * (bottom - top)
    return joints !== undefined && area !== undefined && Math.abs(area - ofBox) > roundedShare * ofBox
  },
  "id of people": ({ joints, carried }) =>
    joints !== undefined && carried?.format === "coco" && carried.json.id !== undefined,
} as const satisfies Record<string, (object: AnnotatedObject) => boolean>

/** Properties of objects that a format may have no place for. */
export type ObjectProperty = keyof typeof properties

/** Counts the objects that say something which a format has no place for. */
export function countProperties(image: AnnotatedImage, lost: readonly ObjectProperty[], losses: Losses): void {
  for (const name of lost) losses.add(`objects: ${name}`, image.objects.filter(properties[name]).length)
}

/** Keys that every writer understands or makes anew. */
const understood = {
  voc: ["folder", "filename", "path", "size", "segmented", "object", "source"],
  vocObject: ["name", "pose", "truncated", "occluded", "difficult", "bndbox"],
  coco: ["id", "file_name", "width", "height"],
  cocoObject: [
    "id",
    "image_id",
    "category_id",
    "bbox",
    "area",
    "segmentation",
    "iscrowd",
    "keypoints",
    "num_keypoints",
    "ignore",
    "difficult",
    "truncated",
    "occluded",
    "pose",
  ],
} as const

/** Counts what a set of another format said beside what all formats know. */
export function countCarried(set: AnnotatedSet, losses: Losses): void {
  for (const { carried, objects } of set.images) {
    if (carried?.format === "voc") {
      const names = carried.root.children.flatMap((node) => ("name" in node ? [node.name] : []))
      countKeys("images", names, understood.voc, losses)
    } else if (carried?.format === "coco") countKeys("images", Object.keys(carried.json), understood.coco, losses)
    for (const { carried: own } of objects) {
      if (own?.format === "voc") {
        const names = own.element.children.flatMap((node) => ("name" in node ? [node.name] : []))
        countKeys("objects", names, understood.vocObject, losses)
      } else if (own?.format === "coco") countKeys("objects", Object.keys(own.json), understood.cocoObject, losses)
      else if (own?.fields.length === 6) losses.add("objects: score")
    }
  }
  if (set.carried?.format === "coco") {
    for (const { rest } of set.carried.sets.values()) countKeys("files", Object.keys(rest), [], losses)
  }
  if (set.carried?.format === "voc") losses.add("lists of single classes or other tasks", set.carried.files.length)
}

function countKeys(of: string, keys: readonly string[], known: readonly string[], losses: Losses): void {
  for (const key of new Set(keys)) if (!known.includes(key)) losses.add(`${of}: ${key}`)
}
