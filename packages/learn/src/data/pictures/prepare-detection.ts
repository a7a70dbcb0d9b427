import type { DetectionTarget } from "../boxes.ts"
import { requireFileSize } from "./decode-picture.ts"
import type { Preparation, Prepared } from "./pipeline.ts"
import { renderFrame } from "./render-frame.ts"
import { drawSsdChanges, noChanges, type SsdAugmentation, scaleTarget } from "./ssd-augmentation.ts"

/**
 * Brings a picture and its boxes to the size of a network's input, after SSD's random changes where they are asked for.
 *
 * @throws LearnlossError `PICTURE_SIZE` when the boxes were measured in a picture of another size
 */
export async function prepareDetection({
  picture,
  name,
  target,
  change,
  size,
  fill,
}: Preparation<DetectionTarget, SsdAugmentation>): Promise<Prepared<DetectionTarget>> {
  requireFileSize(picture, target, name, "boxes")
  const scaled = scaleTarget(target, picture.width, picture.height)
  const changes = change === null ? noChanges(scaled) : drawSsdChanges(scaled, change.augmentation, change.rng)
  const pixels = await renderFrame(picture, changes.frame, changes.colours, fill, size)
  return { pixels, target: scaleTarget(changes.target, size.width, size.height) }
}
