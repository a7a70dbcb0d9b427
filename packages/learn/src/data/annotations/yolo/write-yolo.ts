import { stringify } from "yaml"
import type { Skeleton } from "../../people.ts"
import type { AnnotatedImage, AnnotatedObject, AnnotatedSet } from "../annotated-set.ts"
import { usableObjects } from "../check-objects.ts"
import { DefectLog } from "../defects.ts"
import { cocoPerson, haveSameJoints, isLabelled } from "../joints.ts"
import { countProperties, type Losses } from "../losses.ts"
import { fileOf, nameImages, splitsToWrite } from "../place-images.ts"
import type { SetWriter, WriteTarget } from "../set-writer.ts"
import { labelPath } from "./find-yolo.ts"
import { isInside, type JointShape, readYoloJoints, yoloSkeleton } from "./yolo-joints.ts"
import { writeYoloLine } from "./yolo-line.ts"

/**
 * Writes `images/`, `labels/` and `data.yaml`. Splits that have no image in common become folders, others lists of
 * images. Boxes outside an image are clipped or left out, since YOLO leaves the whole image out for them. A set that was
 * one of YOLO keeps its folders and lines.
 */
export const writeYoloSet: SetWriter = async (set, target) => {
  const own = set.carried?.format === "yolo" ? set.carried : undefined
  const { splits, rest } = splitsToWrite(set)
  const areFolders =
    rest.length === 0 && new Set([...splits.values()].flat()).size === [...splits.values()].flat().length
  const names = own === undefined ? nameImages(set, false) : undefined
  const folderOf = new Map<string, string>()
  if (areFolders)
    for (const [split, ids] of splits) for (const id of ids) folderOf.set(id, `${split.replaceAll("/", "_")}/`)
  const skeleton = own === undefined ? sharedSkeleton(set, target.losses) : undefined
  const shape = own === undefined ? shapeOf(skeleton) : readYoloJoints(own.yaml, set.classNames, () => {}).shape
  const files = new Map<string, string>()
  let boxes = 0
  for (const image of set.images) {
    const file =
      names === undefined ? fileOf(set, image) : `images/${folderOf.get(image.id) ?? ""}${names.get(image.id)}`
    const lacking = whatLacks(image)
    if (lacking !== undefined) {
      target.losses.add(`images: left out, ${lacking}`)
      continue
    }
    files.set(image.id, file)
    await target.putImage(image, file)
    if (own !== undefined && image.carried?.format === "yolo") continue
    const lines = objectsFor(image, set, skeleton, target).map((object) =>
      writeYoloLine(object, image, set.classNames, shape),
    )
    boxes += lines.length
    await target.putText(labelPath(file), lines.map((line) => `${line}\n`).join(""))
  }
  if (own !== undefined) {
    for (const { file, text } of own.files) await target.putText(file, text)
    return { images: files.size, boxes }
  }
  const places: Record<string, string> = {}
  for (const [name, ids] of splits) {
    const split = name.replaceAll("/", "_")
    places[split] = areFolders ? `images/${split}` : `${split}.txt`
    if (!areFolders)
      await target.putText(
        `${split}.txt`,
        ids.flatMap((id) => (files.has(id) ? [`./${files.get(id)}\n`] : [])).join(""),
      )
  }
  const joints = skeleton === undefined ? {} : yoloSkeleton(skeleton, set.classNames)
  const yaml = { ...places, names: { ...set.classNames }, ...joints }
  await target.putText("data.yaml", stringify(yaml, { aliasDuplicateObjects: false }))
  return { images: files.size, boxes }
}

/** The joints of the first class that has any: YOLO's classes share them. */
function sharedSkeleton({ classNames, skeletons }: AnnotatedSet, losses: Losses): Skeleton | undefined {
  const first = classNames.map((name) => skeletons.get(name)).find((skeleton) => skeleton !== undefined)
  if (first !== undefined && JSON.stringify(first) !== JSON.stringify(cocoPerson))
    losses.add("skeletons: bones", first.bones.length)
  return first
}

function shapeOf(skeleton: Skeleton | undefined): JointShape | null {
  return skeleton === undefined ? null : { joints: skeleton.names.length, numbers: 3 }
}

/** Why YOLO cannot hold an image; without a label file it would be one without objects. */
function whatLacks({ path, width, annotation }: AnnotatedImage): string | undefined {
  if (path === null) return "for their file is missing"
  if (width === 0) return "for they cannot be read"
  return annotation === null ? "without an annotation that can be read, which YOLO cannot say" : undefined
}

/** What else objects are, which YOLO cannot say; learnloss measures poses by the area and names people by their ids. */
const lost = [
  ...(["difficult", "truncated", "occluded", "crowd", "pose", "segmentation", "head box"] as const),
  ...(["area of people, where it is not that of the box", "id of people"] as const),
]

/** Objects that YOLO can say: of its own all, of others what lies in the image. */
function objectsFor(
  image: AnnotatedImage,
  set: AnnotatedSet,
  skeleton: Skeleton | undefined,
  { losses }: WriteTarget,
): readonly AnnotatedObject[] {
  if (set.carried?.format === "yolo") return image.objects
  countProperties(image, lost, losses)
  const log = new DefectLog()
  const single = { ...image, objects: image.objects.map((object) => ({ ...object, isCrowd: false })) }
  const usable = usableObjects(single, set.classNames, log)
  for (const { cost } of log.defects) {
    losses.add(
      cost === "clipped"
        ? "objects: what of their box lies outside the image"
        : "objects: left out, without area inside the image",
    )
  }
  return usable.map((object) => {
    const { joints, ...others } = object
    if (joints === undefined) return object
    const own = set.skeletons.get(object.className)
    if (
      skeleton === undefined ||
      own === undefined ||
      !haveSameJoints(own, skeleton) ||
      joints.length !== own.names.length
    ) {
      losses.add("objects: joints that are not those of the first class with joints")
      return others
    }
    losses.add(
      "joints: outside the image",
      joints.filter((joint) => isLabelled(joint) && !isInside(joint, image)).length,
    )
    return object
  })
}
