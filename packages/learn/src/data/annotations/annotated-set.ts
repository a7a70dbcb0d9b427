import type { Box } from "../boxes.ts"
import type { HeadSize, Joint, PersonCrop, Skeleton } from "../people.ts"
import type { CocoImageJson, CocoObjectJson, CocoSetJson, JsonObject } from "./coco/coco-json.ts"
import type { XmlElement } from "./xml.ts"

/** Formats of annotated images that are read. */
export const annotationFormats = ["voc", "coco", "yolo", "mpii"] as const
export type AnnotationFormat = (typeof annotationFormats)[number]

/** Those that are written. */
export const writtenFormats = ["voc", "coco", "yolo"] as const satisfies readonly AnnotationFormat[]
export type WrittenFormat = (typeof writtenFormats)[number]

/**
 * One annotated object. What several formats know has a field; whatever else its own format said is in `carried`, and a
 * writer of that format starts from it, so that what was read is written again as it stood.
 */
export interface AnnotatedObject {
  readonly className: string
  /** Corners in pixels of the upright image, as read: not clipped, possibly without area. */
  readonly box: Box
  readonly isDifficult?: boolean
  readonly isTruncated?: boolean
  readonly isOccluded?: boolean
  /** A region of many objects that are not told apart. */
  readonly isCrowd?: boolean
  readonly pose?: string
  /** In square pixels. */
  readonly area?: number
  /** COCO's: polygons as lists of x and y in pixels, or a run-length encoded mask. */
  readonly segmentation?: readonly (readonly number[])[] | JsonObject
  /** Of a person, in the order of the skeleton of its class; as read, so that their number may be another. */
  readonly joints?: readonly Joint[]
  /** Of a person whose format has a place and a size and no box (MPII): `box` is made from them. */
  readonly crop?: PersonCrop
  readonly head?: HeadSize
  /** Where it stands in its annotation as it was read, for people, e.g. `line 4`; absent for one of no file. */
  readonly place?: string
  readonly carried?: CarriedObject
}

/** What one format said of an object. */
export type CarriedObject =
  | { readonly format: "voc"; readonly element: XmlElement }
  | {
      readonly format: "coco"
      readonly json: CocoObjectJson
      /** Where among the annotations of which file it stood. */
      readonly file: string
      readonly position: number
    }
  | { readonly format: "yolo"; readonly fields: readonly string[] }

/** One image with its objects. */
export interface AnnotatedImage {
  /** Path of the image relative to the set's folder, with `/`, in Unicode's composed form; the id of its sample. */
  readonly id: string
  /** Where the image file is; null when it is missing. */
  readonly path: string | null
  /** Of the upright image in pixels: of the file where there is one, else what the annotation says; 0 when unknown. */
  readonly width: number
  readonly height: number
  /**
   * Where its annotation stands, or would stand, for people; null when there is none that can be read, which is not the
   * same as one without objects.
   */
  readonly annotation: string | null
  readonly objects: readonly AnnotatedObject[]
  readonly carried?: CarriedImage
}

/** What one format said of an image beside its objects. */
export type CarriedImage =
  | { readonly format: "voc"; readonly root: XmlElement }
  | { readonly format: "coco"; readonly json: CocoImageJson }
  /** One without a label file, which is one without objects. */
  | { readonly format: "yolo"; readonly isUnlabelled: true }

/** A set of annotated images as one folder holds it. */
export interface AnnotatedSet {
  readonly format: AnnotationFormat
  /** The folder that ids are relative to. */
  readonly folder: string
  /** In the order of their indices. */
  readonly classNames: readonly string[]
  /** Of the classes whose objects have joints. */
  readonly skeletons: ReadonlyMap<string, Skeleton>
  readonly images: readonly AnnotatedImage[]
  /** Ids of the images of each split in its own order; splits may overlap, and an image may be in none. */
  readonly splits: ReadonlyMap<string, readonly string[]>
  readonly carried?: CarriedSet
}

/** What one format said of a whole set. */
export type CarriedSet =
  | { readonly format: "voc"; readonly files: readonly CarriedFile[] }
  | { readonly format: "coco"; readonly sets: ReadonlyMap<string, CocoSetJson> }
  | { readonly format: "yolo"; readonly yaml: JsonObject; readonly files: readonly CarriedFile[] }

/** A small text file of a folder that is passed on as it is. */
export interface CarriedFile {
  readonly file: string
  readonly text: string
}
