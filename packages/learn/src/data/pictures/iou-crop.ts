import type { Rng } from "@learnloss/engine"
import { overlapOf } from "../box-overlap.ts"
import type { Box, DetectionTarget, LabeledBox } from "../boxes.ts"

/** A part of a picture, in whole pixels, and what it shows. */
export interface Crop {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  /** Boxes whose centre lies inside, in pixels of the crop and clipped to it. */
  readonly boxes: readonly LabeledBox[]
}

/**
 * What a crop must share with an object: nothing to choose (`whole`), any part of the picture (0), or a crop whose
 * intersection over union with at least one box is at least this.
 */
export const cropModes = ["whole", 0, 0.1, 0.3, 0.5, 0.7, 0.9] as const
type CropMode = (typeof cropModes)[number]

const trialsPerMode = 50
const leastSide = 0.3
const aspectRatios = { least: 0.5, most: 2 } as const

/**
 * Draws a crop of SSD's training: a mode at random and up to 50 parts of the picture, each side 0.3 to 1 of the
 * picture's, of aspect ratio 0.5 to 2, until one fits the mode and holds the centre of a box; when none does, a mode
 * again. Where there are no boxes every part fits every mode, so empty pictures are cropped like the others.
 *
 * @param onMode is told the mode that was kept
 */
export function drawIouCrop(picture: DetectionTarget, rng: Rng, onMode: (mode: CropMode) => void = () => {}): Crop {
  for (;;) {
    const mode = cropModes[rng.integer(cropModes.length)] as CropMode
    const crop = mode === "whole" ? wholeCrop(picture) : tryMode(picture, mode, rng)
    if (crop === undefined) continue
    onMode(mode)
    return crop
  }
}

function wholeCrop({ width, height, boxes }: DetectionTarget): Crop {
  return { left: 0, top: 0, width, height, boxes }
}

function tryMode(picture: DetectionTarget, leastOverlap: number, rng: Rng): Crop | undefined {
  for (let trial = 0; trial < trialsPerMode; trial++) {
    const part = drawPart(picture, rng)
    if (part === undefined) continue
    if (picture.boxes.length === 0) return cropTo(picture, part)
    if (!picture.boxes.some(({ box }) => overlapOf(box, part) >= leastOverlap)) continue
    const crop = cropTo(picture, part)
    if (crop.boxes.length > 0) return crop
  }
  return undefined
}

/** Sides and place at random, brought to whole pixels; undefined for a shape that is too long. */
function drawPart({ width, height }: DetectionTarget, rng: Rng): Box | undefined {
  const across = width * (leastSide + rng.float() * (1 - leastSide))
  const down = height * (leastSide + rng.float() * (1 - leastSide))
  const ratio = down / across
  if (ratio < aspectRatios.least || ratio > aspectRatios.most) return undefined
  const left = rng.float() * (width - across)
  const top = rng.float() * (height - down)
  const [x1, y1] = [Math.floor(left), Math.floor(top)]
  // A picture of a few pixels could be cut down to nothing.
  return [x1, y1, Math.max(x1 + 1, Math.floor(left + across)), Math.max(y1 + 1, Math.floor(top + down))]
}

function cropTo({ boxes }: DetectionTarget, part: Box): Crop {
  const [left, top, right, bottom] = part
  const [width, height] = [right - left, bottom - top]
  const kept = boxes.flatMap((object): LabeledBox[] => {
    const [x1, y1, x2, y2] = object.box
    const [centreX, centreY] = [(x1 + x2) / 2, (y1 + y2) / 2]
    const isInside = centreX > left && centreX < right && centreY > top && centreY < bottom
    if (!isInside) return []
    const box: Box = [
      Math.max(x1 - left, 0),
      Math.max(y1 - top, 0),
      Math.min(x2 - left, width),
      Math.min(y2 - top, height),
    ]
    return [{ ...object, box }]
  })
  return { left, top, width, height, boxes: kept }
}
