/**
 * Corners of a box in pixels of an upright image: continuous, 0-based, x to the right and y down. Pixel i covers i to
 * i + 1, so a whole image is [0, 0, width, height].
 */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number]

/** An object that a person marked. */
export interface LabeledBox {
  readonly classIndex: number
  readonly box: Box
  /** Hard to recognise: trained on, but neither found nor missed when a detector is judged (PASCAL VOC). */
  readonly isDifficult: boolean
  /** A region of many objects (COCO): never trained on nor counted, and detections inside it are not judged. */
  readonly isCrowd?: true
}

/** The objects that are trained on and counted: all but crowds. */
export function singleObjects(boxes: readonly LabeledBox[]): readonly LabeledBox[] {
  return boxes.some(({ isCrowd }) => isCrowd) ? boxes.filter(({ isCrowd }) => !isCrowd) : boxes
}

/** Every object of one image. */
export interface DetectionTarget {
  /** Of the image that the boxes are measured in, in pixels. */
  readonly width: number
  readonly height: number
  readonly boxes: readonly LabeledBox[]
}

/** An object that a network found. */
export interface Detection {
  readonly classIndex: number
  /** Probability of the class, 0..1. */
  readonly score: number
  readonly box: Box
}
