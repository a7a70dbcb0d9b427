import type { Box } from "../../boxes.ts"
import type { AnnotatedObject } from "../annotated-set.ts"
import { tidy } from "../check-objects.ts"
import { ObjectDefect } from "../defects.ts"
import { cocoJoints, readCocoJoints } from "./coco-joints.ts"
import { type CocoId, type CocoObjectJson, isId, isObject, type JsonObject } from "./coco-json.ts"

/**
 * What an entry of `annotations` says; `difficult`, `truncated`, `occluded` and `pose`, which COCO does not know but
 * writers of other formats leave there, are read too, and `ignore` counts as difficult.
 *
 * @throws ObjectDefect that says what is missing or no number
 */
export function readCocoObject(
  json: unknown,
  place: { readonly file: string; readonly position: number },
  names: ReadonlyMap<CocoId, string>,
): AnnotatedObject {
  if (!isObject(json)) throw new ObjectDefect("unreadable-object", "no object")
  const { bbox, category_id, area, segmentation, keypoints, iscrowd, pose } = json
  const className = isId(category_id) ? names.get(category_id) : undefined
  if (className === undefined)
    throw new ObjectDefect("unknown-class", `category_id ${JSON.stringify(category_id)} is in no category`)
  if (!Array.isArray(bbox) || bbox.length !== 4 || !bbox.every(Number.isFinite)) {
    throw new ObjectDefect("bad-coordinates", `bbox ${JSON.stringify(bbox)?.slice(0, 80)} is not four numbers`)
  }
  return {
    className,
    box: boxOf(bbox as unknown as CocoObjectJson["bbox"]),
    ...flag("isDifficult", json.difficult ?? json.ignore),
    ...flag("isTruncated", json.truncated),
    ...flag("isOccluded", json.occluded),
    ...flag("isCrowd", iscrowd),
    ...(typeof pose === "string" ? { pose } : {}),
    ...(typeof area === "number" ? { area } : {}),
    ...(Array.isArray(segmentation) || isObject(segmentation) ? { segmentation } : {}),
    ...(Array.isArray(keypoints) && keypoints.length > 0 ? { joints: readCocoJoints(keypoints) } : {}),
    carried: { format: "coco", json: json as CocoObjectJson, ...place },
  }
}

/** The entry that says this: the one that was read with whatever else it held, changed where the object was. */
export function writeCocoObject(
  object: AnnotatedObject,
  ids: { readonly id: CocoId; readonly image: CocoId; readonly category: CocoId },
): JsonObject {
  const own = { image_id: ids.image, category_id: ids.category }
  const { carried } = object
  if (carried?.format !== "coco") {
    const bbox = bboxOf(object.box)
    const [, , width, height] = bbox
    const { area = width * height, segmentation = [], isCrowd = false, isDifficult } = object
    const ignored = isDifficult === undefined ? {} : { ignore: bit(isDifficult) }
    const joints = object.joints === undefined ? {} : cocoJoints(object.joints)
    const known = { bbox, area, segmentation, ...joints, iscrowd: bit(isCrowd) }
    return { id: ids.id, ...own, ...known, ...ignored, ...extras(object) }
  }
  const { json } = carried
  const was = readCocoObject(json, carried, new Map([[json.category_id, object.className]]))
  const changed: Record<string, unknown> = {}
  if (object.box.some((value, side) => value !== was.box[side])) {
    const bbox = bboxOf(object.box)
    Object.assign(changed, { bbox, area: bbox[2] * bbox[3] })
  }
  if (object.area !== was.area) changed.area = object.area
  if (object.segmentation !== was.segmentation) changed.segmentation = object.segmentation
  if (JSON.stringify(object.joints) !== JSON.stringify(was.joints))
    Object.assign(changed, cocoJoints(object.joints ?? []))
  if (object.isCrowd !== was.isCrowd) changed.iscrowd = bit(object.isCrowd === true)
  if (JSON.stringify(extras(object)) !== JSON.stringify(extras(was))) Object.assign(changed, extras(object))
  return { id: ids.id, ...json, ...own, ...changed }
}

/** What COCO does not know and yet passes on. */
function extras({ isDifficult, isTruncated, isOccluded, pose }: AnnotatedObject): JsonObject {
  return {
    ...(isDifficult === undefined ? {} : { difficult: bit(isDifficult) }),
    ...(isTruncated === undefined ? {} : { truncated: bit(isTruncated) }),
    ...(isOccluded === undefined ? {} : { occluded: bit(isOccluded) }),
    ...(pose === undefined ? {} : { pose }),
  }
}

function boxOf([left, top, width, height]: CocoObjectJson["bbox"]): Box {
  return [left, top, left + width, top + height]
}

function bboxOf([x1, y1, x2, y2]: Box): [number, number, number, number] {
  return [tidy(x1), tidy(y1), tidy(x2 - x1), tidy(y2 - y1)]
}

function bit(isSet: boolean): 0 | 1 {
  return isSet ? 1 : 0
}

function flag(key: string, value: unknown): object {
  return value === undefined ? {} : { [key]: value === 1 || value === true }
}
