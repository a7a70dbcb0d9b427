import { op, type Value } from "@learnloss/engine"

/** Images or maps from right to left: [B, C, H, W]. */
export function mirrorImages(images: Value): Value {
  const width = images.shape[3] as number
  return op.slice(images, 3, width - 1, -width - 1, -1)
}
