import type { AnnotatedImage, AnnotatedObject, AnnotatedSet } from "../annotated-set.ts"
import { pairByName } from "../joints.ts"
import { countProperties, type Losses } from "../losses.ts"
import { fileOf, nameImages, splitsToWrite } from "../place-images.ts"
import type { SetWriter } from "../set-writer.ts"
import { cocoSkeleton } from "./coco-joints.ts"
import type { CocoCategoryJson, CocoId, CocoSetJson, JsonObject } from "./coco-json.ts"
import { writeCocoObject } from "./coco-object.ts"

interface Entry {
  readonly object: AnnotatedObject
  readonly json: JsonObject
}

/** Writes `annotations/instances_SPLIT.json`, or with joints `person_keypoints_SPLIT.json`, and `images/`; a set that was one of COCO keeps its files and ids. */
export const writeCocoSet: SetWriter = async (set, target) => {
  const isOwn = set.carried?.format === "coco"
  const names = isOwn ? undefined : nameImages(set, false)
  const images = new Map(set.images.map((image) => [image.id, image]))
  const ids = imageIds(set)
  if (!isOwn) countUnsaid(set, target.losses)
  let nextObject = 1 + largest(set.images.flatMap(({ objects }) => objects.map(ownId)))
  for (const image of set.images) {
    if (image.annotation === null)
      target.losses.add("images: left out, without an annotation that can be read, which COCO cannot say")
    else {
      if (!isOwn) countProperties(image, ["head box"], target.losses)
      await target.putImage(image, names === undefined ? fileOf(set, image) : `images/${names.get(image.id)}`)
    }
  }
  const objectIds = new Map<AnnotatedObject, number>()
  for (const [split, listed] of splitLists(set)) {
    const own = set.carried?.format === "coco" ? set.carried.sets.get(split) : undefined
    const categories = categoriesFor(set, own)
    const categoryIds = new Map(categories.map(({ id, name }) => [name, id]))
    const annotated = listed
      .map((id) => images.get(id))
      .filter((image) => image !== undefined && image.annotation !== null) as AnnotatedImage[]
    const entries = annotated.flatMap((image) =>
      image.objects.map((object) => {
        if (!objectIds.has(object)) objectIds.set(object, nextObject++)
        const id = objectIds.get(object) as number
        const category = categoryIds.get(object.className) as CocoId
        return { object, json: writeCocoObject(object, { id, image: ids.get(image.id) as CocoId, category }) }
      }),
    )
    const json: JsonObject = {
      ...own?.rest,
      images: annotated.map((image) => imageJson(image, ids.get(image.id) as CocoId, names?.get(image.id) ?? image.id)),
      annotations: inOrder(entries, own?.file).map(({ json }) => json),
      categories,
    }
    await target.putText(
      own?.file ??
        `annotations/${set.skeletons.size > 0 ? "person_keypoints" : "instances"}_${split.replaceAll("/", "_")}.json`,
      `${JSON.stringify(json)}\n`,
    )
  }
  return { images: set.images.filter(({ annotation }) => annotation !== null).length, boxes: objectIds.size }
}

/** Annotations as they stood in the file, where all of them are from it; else image by image. */
function inOrder(entries: readonly Entry[], file: string | undefined): readonly Entry[] {
  const placed = entries.flatMap((entry) => {
    const { carried } = entry.object
    return carried?.format === "coco" && carried.file === file ? [{ entry, position: carried.position }] : []
  })
  if (placed.length < entries.length) return entries
  return placed.sort((a, b) => a.position - b.position).map(({ entry }) => entry)
}

/** Counts joints of a left and right side that their names do not tell, which is all that COCO has. */
function countUnsaid({ skeletons }: AnnotatedSet, losses: Losses): void {
  for (const { names, pairs } of skeletons.values()) {
    const told = new Set(pairByName(names).pairs.map((pair) => pair.join()))
    const untold = pairs.filter((pair) => !told.has(pair.join()))
    losses.add("joints: pairs of left and right that names do not tell", untold.length)
  }
}

function splitLists(set: AnnotatedSet): Map<string, readonly string[]> {
  const { splits, rest } = splitsToWrite(set)
  if (rest.length > 0) splits.set(splits.size === 0 ? "all" : "rest", rest)
  return splits
}

function imageJson(image: AnnotatedImage, id: CocoId, name: string): JsonObject {
  if (image.carried?.format === "coco") return image.carried.json
  return { id, file_name: name, width: image.width, height: image.height }
}

function imageIds({ images }: AnnotatedSet): Map<string, CocoId> {
  const own = images.map(({ carried }) => (carried?.format === "coco" ? carried.json.id : undefined))
  let next = 1 + largest(own)
  return new Map(images.map(({ id }, index) => [id, own[index] ?? next++]))
}

/** Categories as the file had them, else counted from 1; classes that it lacks are added after its largest id. */
function categoriesFor({ classNames, skeletons }: AnnotatedSet, own: CocoSetJson | undefined): CocoCategoryJson[] {
  const known = own?.categories ?? []
  let next = 1 + largest(known.map(({ id }) => id))
  const lacking = own === undefined ? classNames : []
  const added = lacking.map((name) => {
    const skeleton = skeletons.get(name)
    return { id: next++, name, supercategory: "", ...(skeleton === undefined ? {} : cocoSkeleton(skeleton)) }
  })
  return [...known, ...added]
}

function ownId({ carried }: AnnotatedObject): unknown {
  return carried?.format === "coco" ? carried.json.id : undefined
}

function largest(ids: readonly unknown[]): number {
  let most = 0
  for (const id of ids) if (typeof id === "number" && id > most) most = id
  return most
}
