import { intTensor, op, type Value } from "@learnloss/engine"
import { mirrorImages } from "../mirror-images.ts"

/**
 * Maps that were found in an image and in its mirror image as one: those of the mirror image are mirrored back, left and
 * right joints change places, and both are averaged. [B, J, H, W]
 */
export function averageMirrored(maps: Value, mirrored: Value, pairs: readonly (readonly [number, number])[]): Value {
  const [, joints] = maps.shape as [number, number]
  const order = Array.from({ length: joints }, (_, joint) => joint)
  for (const [left, right] of pairs) {
    order[left] = right
    order[right] = left
  }
  const positions = maps.graph.constant(intTensor([joints], order), "mirrored joints")
  return op.mul(op.add(maps, op.gather(mirrorImages(mirrored), positions, 1)), 0.5)
}
