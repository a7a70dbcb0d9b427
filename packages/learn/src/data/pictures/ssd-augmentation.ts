import type { Rng } from "@learnloss/engine"
import { type Box, type DetectionTarget, type LabeledBox, singleObjects } from "../boxes.ts"
import { type ColourChanges, drawColourChanges } from "./colour-changes.ts"
import { drawIouCrop } from "./iou-crop.ts"
import type { Frame } from "./render-frame.ts"

/** Which random changes of SSD are made to training pictures. */
export interface SsdAugmentation {
  /** Brightness, contrast, saturation, hue and the order of the channels. */
  readonly photometric: boolean
  /** The picture becomes a part of a larger canvas of the mean colour, so that objects become smaller. */
  readonly expand: boolean
  /** A part of the picture that shares at least so much with an object, so that objects become larger. */
  readonly iouCrop: boolean
  /** Mirror left to right with probability one half. */
  readonly flip: boolean
}

/** The changes drawn for one picture. */
export interface PictureChanges {
  readonly colours: ColourChanges
  readonly frame: Frame
  /** In pixels of the frame, mirrored as it is. */
  readonly target: DetectionTarget
}

/** The picture as it is. */
export function noChanges(target: DetectionTarget): PictureChanges {
  return { colours: {}, frame: wholeFrame(target), target }
}

function wholeFrame({ width, height }: DetectionTarget): Frame {
  return { left: 0, top: 0, width, height, isMirrored: false }
}

/** Largest ratio of the sides of the canvas to those of the picture. */
const largestExpansion = 4

/**
 * Draws what SSD's training changes about one picture (Liu et al., "SSD: Single Shot MultiBox Detector", section 2.2):
 * colours, expansion, crop and mirroring, in this order. The pixels play no part in it.
 *
 * @param target boxes in pixels of the picture
 */
export function drawSsdChanges(target: DetectionTarget, settings: SsdAugmentation, rng: Rng): PictureChanges {
  const colours = settings.photometric ? drawColourChanges(rng) : {}
  let frame = wholeFrame(target)
  if (settings.expand && rng.float() < 0.5) frame = expand(frame, rng)
  // Crowds are not trained on, so a crop is not chosen for them.
  let boxes = shift(singleObjects(target.boxes), frame)
  if (settings.iouCrop) {
    const { width, height } = frame
    const crop = drawIouCrop({ width, height, boxes }, rng)
    frame = {
      ...frame,
      left: frame.left + crop.left,
      top: frame.top + crop.top,
      width: crop.width,
      height: crop.height,
    }
    boxes = crop.boxes
  }
  if (settings.flip && rng.float() < 0.5) {
    frame = { ...frame, isMirrored: true }
    boxes = boxes.map((object) => ({ ...object, box: mirror(object.box, frame.width) }))
  }
  return { colours, frame, target: { width: frame.width, height: frame.height, boxes } }
}

/** A canvas of whole pixels around the picture, which lies anywhere inside. */
function expand({ width, height }: Frame, rng: Rng): Frame {
  const ratio = 1 + rng.float() * (largestExpansion - 1)
  const [canvasWidth, canvasHeight] = [Math.floor(width * ratio), Math.floor(height * ratio)]
  return {
    left: -rng.integer(canvasWidth - width + 1),
    top: -rng.integer(canvasHeight - height + 1),
    width: canvasWidth,
    height: canvasHeight,
    isMirrored: false,
  }
}

/** Boxes of the picture in pixels of a frame around it. */
function shift(boxes: readonly LabeledBox[], { left, top }: Frame): readonly LabeledBox[] {
  if (left === 0 && top === 0) return boxes
  return boxes.map((object) => {
    const [x1, y1, x2, y2] = object.box
    return { ...object, box: [x1 - left, y1 - top, x2 - left, y2 - top] }
  })
}

function mirror([x1, y1, x2, y2]: Box, width: number): Box {
  return [width - x2, y1, width - x1, y2]
}

/** The same objects in a picture of another size. */
export function scaleTarget({ boxes, ...from }: DetectionTarget, width: number, height: number): DetectionTarget {
  // Multiplied before it is divided, so that the far edges come out as the sizes themselves.
  const across = (x: number) => (x * width) / from.width
  const down = (y: number) => (y * height) / from.height
  return {
    width,
    height,
    boxes: boxes.map((object) => {
      const [x1, y1, x2, y2] = object.box
      return { ...object, box: [across(x1), down(y1), across(x2), down(y2)] }
    }),
  }
}
