import type { Box } from "./boxes.ts"

/** Whether a person marked a joint: not at all, where it must be though nothing shows it, or where it is seen (COCO's v). */
export type Visibility = 0 | 1 | 2

/** A joint in continuous pixels of an upright image, 0-based: pixel i covers i to i + 1. Meaningless where not labelled. */
export interface Joint {
  readonly x: number
  readonly y: number
  readonly visibility: Visibility
}

/** What the joints of all people of some data are. */
export interface Skeleton {
  /** Of the joints, in their order. */
  readonly names: readonly string[]
  /** Pairs of joints, from 0, that are joined in pictures. */
  readonly bones: readonly (readonly [number, number])[]
  /** Joints of the left and right side, from 0, which change places in a mirrored picture. */
  readonly pairs: readonly (readonly [number, number])[]
}

/** The square of an image that a network is shown of a person; it may stand out over the image's edges. */
export interface PersonCrop {
  /** In pixels of the image. */
  readonly center: readonly [x: number, y: number]
  readonly side: number
}

/** How much longer the side of a crop is than the longer side of the box that it is made from. */
const cropMargin = 1.25

/** The crop of a person around whom somebody drew a box. */
export function cropAround([x1, y1, x2, y2]: Box): PersonCrop {
  return { center: [(x1 + x2) / 2, (y1 + y2) / 2], side: cropMargin * Math.max(x2 - x1, y2 - y1) }
}

/** How long a head is, by which PCKh measures. */
export interface HeadSize {
  /** In pixels: 0.6 times the diagonal of the head's box (Andriluka et al. 2014), or the distance of neck and head top. */
  readonly length: number
  readonly from: "head box" | "neck to head top"
}

/** One person: the unit of labelling. */
export interface PersonTarget {
  /** Of the image that everything is measured in, in pixels. */
  readonly width: number
  readonly height: number
  /** In the order of the skeleton. */
  readonly joints: readonly Joint[]
  readonly crop: PersonCrop
  /** Around the person; null where nobody drew one. */
  readonly box: Box | null
  /** Of the person in square pixels, as object keypoint similarity reads it; null where unknown. */
  readonly area: number | null
  readonly head: HeadSize | null
  /** People of one image share it. */
  readonly imageId: string
}

/** Where a network sees the joints of a person. */
export interface Pose {
  /** In shares of the crop: 0..1 from its left and upper edge; `score` is the height of the heat-map's peak. */
  readonly joints: readonly { readonly x: number; readonly y: number; readonly score: number }[]
  /** Mean score of the joints. */
  readonly score: number
}

/** A place in shares of a crop in pixels of the image that it was cut from. */
export function placeInImage(
  { x, y }: { readonly x: number; readonly y: number },
  { center, side }: PersonCrop,
): { readonly x: number; readonly y: number } {
  return { x: center[0] + (x - 0.5) * side, y: center[1] + (y - 0.5) * side }
}
