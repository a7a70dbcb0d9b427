import type { LossDivisor } from "@learnloss/contract"
import { crossEntropyPerSample, floatTensor, intTensor, op, type Value } from "@learnloss/engine"
import type { DetectionTargets } from "./targets.ts"

/** How many background boxes are learned beside each box with an object. */
const negativesPerPositive = 3

/**
 * SSD's loss of each image: smooth L1 over the offsets of the default boxes that have an object, and cross-entropy over
 * those and the background boxes that are hardest for the network, three for each of them.
 *
 * Which are the hardest is found by sorting inside the graph, among the boxes of one image; of equally hard ones the first
 * are taken. An image without objects counts as one with a single positive that costs nothing: its three hardest background
 * boxes are learned, and the divisor is one.
 *
 * Divided by `positives`, the default boxes that have an object, an image's loss says how badly its objects are found, not
 * how many there are. Divided by `nothing` it is a plain sum, as in published code of learning loss for detection; it grows
 * with the objects, so that a module trained on it learns to count them and picks crowded images.
 *
 * @param output [B, P, 4 + 1 + classes]: offsets, then logits with the background first
 * @returns [B]
 */
export function multiboxLoss(
  output: Value,
  { offsets, classes }: DetectionTargets<Value>,
  divisor: LossDivisor = "positives",
): Value {
  const isObject = op.greater(classes, output.graph.constant(intTensor([], [0]), "background"))
  const positive = op.cast(isObject, "float32")
  const positives = op.max(op.reduceSum(positive, [1], true), 1) // [B, 1]
  const surprise = crossEntropyPerSample(op.slice(output, 2, 4, output.shape[2] as number), classes) // [B, P]
  const hard = hardest(op.where(isObject, -1, op.stopGradient(surprise)), op.mul(positives, negativesPerPositive))
  const isLearned = op.or(isObject, hard)
  const misplaced = op.reduceSum(smoothL1(op.sub(op.slice(output, 2, 0, 4), offsets)), [2])
  const perBox = op.add(op.where(isObject, misplaced, 0), op.where(isLearned, surprise, 0))
  const sums = op.reduceSum(perBox, [1])
  return divisor === "nothing" ? sums : op.div(sums, op.reshape(positives, sums.shape))
}

/** Marks the `counts` [B, 1] largest numbers of each row of [B, P]; all of them where that is more than P. */
function hardest(hardness: Value, counts: Value): Value {
  const { graph, shape } = hardness
  const length = shape[1] as number
  const { indices } = op.topK(hardness, length)
  const ranks = graph.constant(
    floatTensor(
      [1, length],
      Float32Array.from({ length }, (_, rank) => rank),
    ),
    "ranks",
  )
  const marks = op.cast(op.less(ranks, counts), "float32")
  const none = op.expand(graph.constant(floatTensor([]), "zero"), shape)
  return op.greater(op.scatterElements(none, indices, marks, 1, "none"), 0)
}

/** x^2 / 2 up to one, then |x| - 1/2. */
function smoothL1(x: Value): Value {
  const size = op.abs(x)
  const bent = op.min(size, 1)
  return op.mul(bent, op.sub(size, op.mul(bent, 0.5)))
}
