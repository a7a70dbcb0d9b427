import { op, type Value } from "@learnloss/engine"

/** The maps of one stack, each in one row: [B, stacks, J, H, W] to [B, J, H * W]. */
function rowsOf(output: Value, stack: number): Value {
  const [batch, , joints, height, width] = output.shape as [number, number, number, number, number]
  return op.reshape(op.slice(output, 1, stack, stack + 1), [batch, joints, height * width])
}

function lastRows(output: Value): Value {
  return rowsOf(output, (output.shape[1] as number) - 1)
}

/** The maps that joints are found in, those of the last stack: [B, stacks, J, H, W] to [B, J, H, W]. */
export function lastMaps(output: Value): Value {
  const [batch, , joints, height, width] = output.shape as [number, number, number, number, number]
  return op.reshape(lastRows(output), [batch, joints, height, width])
}

/**
 * What the loss module may read of an output, for each joint: how high the peak of its last map is, how much stands beside
 * that peak in Gaussians of its height (the map's positive sum over 2 pi times the peak: one where there is a single peak as
 * it should be), and, of several stacks, how far the last two are apart (root mean square over the map, times ten).
 *
 * @returns [B, 2 * J], or [B, 3 * J] with several stacks
 */
export function outputStatistics(output: Value): Value {
  const stacks = output.shape[1] as number
  const maps = lastRows(output)
  const peaks = op.reduceMax(maps, [2])
  const mass = op.reduceSum(op.relu(maps), [2])
  const statistics = [peaks, op.div(mass, op.mul(op.max(peaks, leastPeak), 2 * Math.PI))]
  if (stacks > 1) {
    const change = op.sub(maps, rowsOf(output, stacks - 2))
    statistics.push(op.mul(op.sqrt(op.reduceMean(op.mul(change, change), [2])), 10))
  }
  return op.concat(statistics, 1)
}

/** A lower peak is none: what stands beside it is measured against this height. */
const leastPeak = 0.01

/**
 * Entropy of the softmax over each last heat-map, averaged over joints (Yoo & Kweon 2019, section 4.3), [B], in nats less than
 * that of a flat map: between -log(H * W) and 0.
 *
 * Heat-maps are 0..1, so their softmax is nearly flat: one perfect peak in 64 x 64 pixels takes 6e-4 off an entropy of 8.3, of
 * which single precision tells little apart. So what is computed is the difference, KL(softmax || flat), from numbers of its
 * own size. It is a little more than half the variance of the map: faint and blurred maps come first.
 */
export function heatmapEntropy(output: Value): Value {
  const maps = lastRows(output)
  const above = op.clip(op.sub(maps, op.reduceMean(maps, [2], true)), -steepest, steepest)
  const raised = op.sub(op.exp(above), 1)
  const excess = op.reduceMean(raised, [2], true)
  const weighted = op.div(op.reduceMean(op.mul(above, op.add(raised, 1)), [2], true), op.add(excess, 1))
  const divergence = op.sub(weighted, op.log(op.add(excess, 1)))
  return op.neg(op.reduceMean(divergence, [1, 2]))
}

/** Heights beyond this above the mean, which no trained network gives, would be too large for an exponential. */
const steepest = 30

/** One minus the mean height of the joints' peaks, each taken for 0..1, [B]. */
export function heatmapUnconfidence(output: Value): Value {
  return op.sub(1, op.reduceMean(op.clip(op.reduceMax(lastRows(output), [2]), 0, 1), [1]))
}
