import { op, type Value } from "@learnloss/engine"

/** A default box whose object probability is at least this may hold an object. */
const likelyObject = 0.1

/** Default boxes of a source whose entropy is looked at: the most object-like. */
const watchedBoxes = 10

/** Probabilities of the classes of every default box, background first: [B, P, 4 + 1 + classes] to [B, P, 1 + classes]. */
function classLogits(output: Value): Value {
  return op.slice(output, 2, 4, output.shape[2] as number)
}

/** One minus the background's probability: [B, P, 1 + classes] to [B, P]. */
function objectness(probabilities: Value): Value {
  const [batch, boxes] = probabilities.shape as [number, number]
  return op.sub(1, op.reshape(op.slice(probabilities, 2, 0, 1), [batch, boxes]))
}

/** Entropy of each default box's classes in nats, [B, P]. */
function entropies(logits: Value): Value {
  return op.neg(op.reduceSum(op.mul(op.softmax(logits), op.logSoftmax(logits)), [2]))
}

/**
 * What the loss module may read of an output: for each source the largest and the mean object probability, the share of
 * default boxes that likely hold an object, and the mean entropy of the ten most object-like.
 *
 * @param perSource how many of the P default boxes each source has
 * @returns [B, 4 * sources]
 */
export function outputStatistics(output: Value, perSource: readonly number[]): Value {
  const logits = classLogits(output)
  const ofBoxes = [objectness(op.softmax(logits)), entropies(logits)] as const
  let start = 0
  const statistics = perSource.flatMap((count) => {
    const [objects, entropy] = ofBoxes.map((each) => op.slice(each, 1, start, start + count)) as [Value, Value]
    start += count
    const { values, indices } = op.topK(objects, Math.min(watchedBoxes, count))
    return [
      op.slice(values, 1, 0, 1),
      op.reduceMean(objects, [1], true),
      op.reduceMean(op.cast(op.greaterOrEqual(objects, likelyObject), "float32"), [1], true),
      op.reduceMean(op.gatherElements(entropy, indices, 1), [1], true),
    ]
  })
  return op.concat(statistics, 1)
}

/**
 * The mean of some number over the default boxes that likely hold an object, or that of the single most object-like box
 * where there is none: [B, P] to [B].
 *
 * Over all boxes it would measure how many objects there are, since nearly all boxes are certain background; over the boxes
 * that decoding keeps it would need suppression inside the graph, and boxes that are suppressed say the same as the
 * one that stays. An image without detections is not certain for that: its most object-like box says how near it came.
 */
function meanOfLikely(of: Value, objects: Value): Value {
  const isLikely = op.cast(op.greaterOrEqual(objects, likelyObject), "float32")
  const count = op.reduceSum(isLikely, [1], true)
  const mean = op.div(op.reduceSum(op.mul(of, isLikely), [1], true), op.max(count, 1))
  const ofFirst = op.gatherElements(of, op.topK(objects, 1).indices, 1)
  return op.reshape(op.where(op.greater(count, 0), mean, ofFirst), [of.shape[0] as number])
}

/** Entropy of an image's detections in nats, [B]: the mean over its likely objects, see `meanOfLikely`. */
export function detectionEntropy(output: Value): Value {
  const logits = classLogits(output)
  return meanOfLikely(entropies(logits), objectness(op.softmax(logits)))
}

/** One minus the probability of the likeliest class, background included, [B]: the mean over an image's likely objects. */
export function detectionUnconfidence(output: Value): Value {
  const probabilities = op.softmax(classLogits(output))
  return meanOfLikely(op.sub(1, op.reduceMax(probabilities, [2])), objectness(probabilities))
}
