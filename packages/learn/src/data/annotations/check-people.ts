import { cropAround, type Joint, type PersonCrop, type PersonTarget, type Skeleton } from "../people.ts"
import type { AnnotatedImage, AnnotatedObject } from "./annotated-set.ts"
import { checkBox } from "./check-objects.ts"
import type { DefectLog } from "./defects.ts"
import { isLabelled } from "./joints.ts"

/** A person that training and measuring take. */
export interface Person {
  /** The image's id with that of the annotation, or with its place in the image from 0 where it has none. */
  readonly id: string
  readonly className: string
  readonly target: PersonTarget
}

/** A pixel: the numbers of pixels may count from 0 or from 1. */
const slack = 1

/**
 * The people of an image, of the classes with joints. Left out and told to the log are joints outside the image, and
 * people without labelled joints, with another number of joints, or whose box has no area inside the image.
 */
export function usablePeople(
  image: AnnotatedImage,
  { classNames, skeleton }: { readonly classNames: readonly string[]; readonly skeleton: Skeleton },
  log: DefectLog,
): Person[] {
  const people: Person[] = []
  const ids = new Set<string>()
  const file = image.annotation ?? image.id
  for (const [index, object] of image.objects.entries()) {
    if (!classNames.includes(object.className)) continue
    const name = `${object.place ?? `object ${index + 1}`} (${object.className})`
    const tell: Tell = (kind, cost, reason) => log.add(kind, cost, file, `${name}: ${reason}`)
    if (object.isCrowd === true) {
      tell("crowd", "noted", "a crowd, which is not trained on")
      continue
    }
    const target = targetOf(image, object, skeleton, tell)
    if (target === undefined) continue
    const id = `${image.id}#${ownId(object) ?? index}`
    if (ids.has(id)) tell("duplicate-id", "person", "another of the image has the same id")
    else people.push({ id, className: object.className, target })
    ids.add(id)
  }
  return people
}

type Tell = (kind: Kind, cost: "noted" | "clipped" | "joint" | "person", reason: string) => void
type Kind = Parameters<DefectLog["add"]>[0]

function targetOf(
  image: AnnotatedImage,
  object: AnnotatedObject,
  skeleton: Skeleton,
  tell: Tell,
): PersonTarget | undefined {
  const joints = checkJoints(object.joints ?? [], image, skeleton, tell)
  if (joints === undefined) return undefined
  const { width, height, id: imageId } = image
  const head = object.head ?? null
  if (object.crop !== undefined) {
    if (!isUsable(object.crop, image, tell)) return undefined
    return { width, height, joints, crop: object.crop, box: null, area: object.area ?? null, head, imageId }
  }
  const box = checkBox(object.box, image, (kind, cost, reason) => tell(kind, cost === "box" ? "person" : cost, reason))
  if (box === undefined) return undefined
  const area = object.area ?? (box[2] - box[0]) * (box[3] - box[1])
  return { width, height, joints, crop: cropAround(box), box, area, head, imageId }
}

function isUsable({ center: [x, y], side }: PersonCrop, { width, height }: AnnotatedImage, tell: Tell): boolean {
  const where = `centre ${shown(x)}, ${shown(y)} and a crop of ${shown(side)} pixels`
  const reach = side / 2
  if (!(side > 0 && Number.isFinite(side + x + y))) tell("scale-zero", "person", `no size or place: ${where}`)
  else if (x + reach <= 0 || y + reach <= 0 || x - reach >= width || y - reach >= height)
    tell("outside-image", "person", `${where} outside the image of ${width}x${height}`)
  else return true
  return false
}

function ownId({ carried }: AnnotatedObject): unknown {
  return carried?.format === "coco" ? carried.json.id : undefined
}

function checkJoints(
  joints: readonly Joint[],
  { width, height }: AnnotatedImage,
  { names }: Skeleton,
  tell: Tell,
): Joint[] | undefined {
  if (joints.length > 0 && joints.length !== names.length) {
    tell("wrong-joint-count", "person", `${joints.length} joints, not ${names.length}`)
    return undefined
  }
  const usable = joints.map((joint, index): Joint => {
    const { x, y } = joint
    if (!isLabelled(joint)) return joint
    if (Number.isNaN(x)) return { x: 0, y: 0, visibility: 0 }
    if (x >= -slack && y >= -slack && x <= width + slack && y <= height + slack) return joint
    const place = `${names[index]} at ${shown(x)}, ${shown(y)}`
    tell("joint-outside", "joint", `${place} is outside the image of ${width}x${height}`)
    return { x: 0, y: 0, visibility: 0 }
  })
  const unreadable = names.filter((_, index) => Number.isNaN(joints[index]?.x))
  if (unreadable.length > 0) {
    const which = `${unreadable.length > 1 ? "each of " : ""}${unreadable.join(", ")}`
    tell("bad-coordinates", "joint", `${which} is not two numbers and a visibility of 0, 1 or 2`)
  }
  if (usable.some(isLabelled)) return usable
  tell("no-joints", "person", "no labelled joints")
  return undefined
}

function shown(value: number): string {
  return String(Number(value.toFixed(3)))
}
