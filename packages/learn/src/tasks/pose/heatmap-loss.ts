import type { PoseLossDivisor } from "@learnloss/contract"
import { floatTensor, op, type Value } from "@learnloss/engine"
import type { PoseTargets } from "./targets.ts"

/**
 * Heat-maps as they should be: for each joint a Gaussian with a deviation of one pixel of the map and a peak of one, centred
 * where the joint is and not at the pixel it falls into. At 64 pixels over a person such rounding would move joints by up to
 * 1/128 of the crop, which decoding between pixels could never take back.
 *
 * A Gaussian is the product of one along x and one along y, so no more than J * (height + width) exponentials are taken.
 *
 * @param joints [B, J, 2] in shares of the crop
 * @returns [B, J, height, width]
 */
export function gaussianMaps(joints: Value, height: number, width: number): Value {
  const [batch, count] = joints.shape as [number, number]
  const along = (axis: 0 | 1, length: number): Value => {
    const centres = Float32Array.from({ length }, (_, pixel) => pixel + 0.5)
    const pixels = joints.graph.constant(floatTensor([1, 1, length], centres), "pixel centres")
    const distance = op.sub(op.mul(op.slice(joints, 2, axis, axis + 1), length), pixels)
    return op.exp(op.mul(op.mul(distance, distance), -0.5)) // [B, J, length]
  }
  const columns = op.reshape(along(1, height), [batch, count, height, 1])
  const rows = op.reshape(along(0, width), [batch, count, 1, width])
  return op.mul(columns, rows)
}

/**
 * The loss of each person: the mean squared difference of every learned joint's heat-map from its Gaussian, summed over
 * joints and over stacks (Newell et al. 2016: every stack is supervised).
 *
 * Divided by `joints`, those that are learned, a person's loss says how badly their joints are found, not how many there are.
 * Divided by `nothing` it is the plain sum, which a module learns to predict by counting joints.
 *
 * @param output [B, stacks, J, height, width]
 * @returns [B]
 */
export function heatmapLoss(
  output: Value,
  { joints, weights }: PoseTargets<Value>,
  divisor: PoseLossDivisor = "joints",
): Value {
  const [batch, , count, height, width] = output.shape as [number, number, number, number, number]
  const wanted = op.reshape(gaussianMaps(joints, height, width), [batch, 1, count, height, width])
  const difference = op.sub(output, wanted)
  const ofMaps = op.reduceMean(op.mul(difference, difference), [3, 4]) // [B, stacks, J]
  const sums = op.reduceSum(op.mul(ofMaps, op.reshape(weights, [batch, 1, count])), [1, 2])
  return divisor === "nothing" ? sums : op.div(sums, op.max(op.reduceSum(weights, [1]), 1))
}
