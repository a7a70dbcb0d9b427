import { type FinalSoftmax, type Shape, sizeOf } from "@learnloss/engine"

/** Statistics of one output, a fixed number of values for each sample. */
export interface OutputStatistics {
  readonly width: number
  /** True for a row of scores, whose first statistic is confidence, 0..1. */
  readonly hasConfidence: boolean
  /**
   * Writes the statistics of one sample.
   *
   * @param values of the sample, shaped `shape`
   * @param shape without the batch
   * @param into receives `width` values; NaN where the output has another form than it was planned for
   */
  write(values: ArrayLike<number>, shape: Shape, into: Float32Array): void
}

const largestProbabilities = 10
const largestValues = 32
/** An output whose channels would give more columns than this is summed up as a whole. */
const mostChannels = 512

/**
 * Plans what is read off an output by the form it has for one sample and by what it ends with.
 *
 * A row of scores is taken as logits, or as probabilities where it ends in a Softmax or is non-negative and sums to one; its
 * confidence is the largest probability. A row that ends in a Sigmoid answers one question for each class; its confidence
 * is one minus the mean binary entropy in bits, which orders images by the loss to be expected (one minus the mean binary
 * cross-entropy, were the probabilities right), and which for one class orders them as max(p, 1 - p) does. Of anything with positions (a detector's boxes, a map of
 * classes) mean and maximum of each channel are taken, and the largest values.
 *
 * @param shape without the batch
 * @param ending the op that makes the output; undefined for scores as they are
 * @param layout where the channels of an output of more than two axes stand
 */
export function planOutputStatistics(
  shape: Shape,
  layout: "channels-first" | "channels-last" = "channels-first",
  ending?: FinalSoftmax["op"],
): OutputStatistics | undefined {
  if (ending === "Sigmoid" && shape.length <= 1 && sizeOf(shape) > 0) return answers
  if (shape.length === 0) return single
  if (sizeOf(shape) === 0) return undefined
  if (shape.length === 1) return scores(ending === "Softmax")
  return channels(shape, channelAxis(shape, layout))
}

/** One value for each sample, taken as it is. */
const single: OutputStatistics = {
  width: 1,
  hasConfidence: false,
  write(values, _, into) {
    into[0] = values[0] as number
  },
}

/** The ten largest probabilities, entropy in nats, log(sum(exp)) and the largest logit. */
const scores = (isSoftmax: boolean): OutputStatistics => ({
  width: largestProbabilities + 3,
  hasConfidence: true,
  write(values, shape, into) {
    into.fill(0)
    const logits = asLogits(values, sizeOf(shape), isSoftmax)
    const largest = logits.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
    const sum = logits.reduce((total, value) => total + Math.exp(value - largest), 0)
    const probabilities = logits.map((value) => Math.exp(value - largest) / sum)
    const entropy = probabilities.reduce((total, p) => (p > 0 ? total - p * Math.log(p) : total), 0)
    into.set(largestOf(probabilities, Math.min(largestProbabilities, probabilities.length)))
    into[largestProbabilities] = entropy
    into[largestProbabilities + 1] = largest + Math.log(sum)
    into[largestProbabilities + 2] = largest
  },
})

/**
 * Of independent probabilities: confidence, the nine largest, the mean and the largest binary entropy in nats, and the
 * sum, which is how many answers are expected to be yes.
 */
const answers: OutputStatistics = {
  width: largestProbabilities + 3,
  hasConfidence: true,
  write(values, shape, into) {
    into.fill(0)
    const count = sizeOf(shape)
    const probabilities = Float64Array.from({ length: count }, (_, index) => values[index] as number)
    const entropies = probabilities.map(binaryEntropy)
    const mean = entropies.reduce((sum, entropy) => sum + entropy, 0) / count
    into[0] = 1 - mean / Math.LN2
    into.set(largestOf(probabilities, Math.min(largestProbabilities - 1, count)), 1)
    into[largestProbabilities] = mean
    into[largestProbabilities + 1] = entropies.reduce((most, entropy) => Math.max(most, entropy), 0)
    into[largestProbabilities + 2] = probabilities.reduce((sum, p) => sum + p, 0)
  },
}

/** In nats; 0 where the answer is certain. */
function binaryEntropy(p: number): number {
  const part = (q: number) => (q === 0 ? 0 : -q * Math.log(q))
  return part(p) + part(1 - p)
}

const smallestProbability = 1e-12

function asLogits(values: ArrayLike<number>, count: number, isSoftmax: boolean): Float64Array {
  // One score is that of the second of two classes.
  if (count === 1) return Float64Array.of(0, values[0] as number)
  let sum = 0
  let isNegative = false
  for (let index = 0; index < count; index++) {
    sum += values[index] as number
    isNegative ||= (values[index] as number) < 0
  }
  const areProbabilities = isSoftmax || (!isNegative && Math.abs(sum - 1) < 1e-3)
  return Float64Array.from({ length: count }, (_, index) => {
    const value = values[index] as number
    return areProbabilities ? Math.log(Math.max(value, smallestProbability)) : value
  })
}

/** Of two axes the shorter holds the channels: [84, 8400] of a YOLO, [100, 92] of a DETR. */
function channelAxis(shape: Shape, layout: "channels-first" | "channels-last"): number {
  if (shape.length === 2) return (shape[0] as number) <= (shape[1] as number) ? 0 : 1
  return layout === "channels-first" ? 0 : shape.length - 1
}

function channels(planned: Shape, axis: number): OutputStatistics {
  const isWide = (planned[axis] as number) > mostChannels
  const count = isWide ? 1 : (planned[axis] as number)
  return {
    width: 2 * count + largestValues,
    hasConfidence: false,
    write(values, shape, into) {
      if (shape.length !== planned.length || (!isWide && shape[axis] !== count)) {
        into.fill(Number.NaN)
        return
      }
      // Value i belongs to channel floor(i / inner) mod count.
      const inner = isWide ? 1 : sizeOf(shape.slice(axis + 1))
      const size = sizeOf(shape)
      const sums = new Float64Array(count)
      const most = new Float64Array(count).fill(Number.NEGATIVE_INFINITY)
      for (let index = 0; index < size; index++) {
        const channel = Math.floor(index / inner) % count
        const value = values[index] as number
        sums[channel] = (sums[channel] as number) + value
        if (!(value <= (most[channel] as number))) most[channel] = value
      }
      for (let channel = 0; channel < count; channel++) {
        into[channel] = ((sums[channel] as number) * count) / size
        into[count + channel] = most[channel] as number
      }
      into.fill(0, 2 * count)
      into.set(largestOf(values, Math.min(largestValues, size), size), 2 * count)
    },
  }
}

/** The largest values in falling order, kept in a short sorted list. */
function largestOf(values: ArrayLike<number>, count: number, size: number = values.length): Float64Array {
  const largest = new Float64Array(count).fill(Number.NEGATIVE_INFINITY)
  for (let index = 0; index < size; index++) {
    const value = values[index] as number
    if (value <= (largest[count - 1] as number)) continue
    let place = count - 1
    for (; place > 0 && (largest[place - 1] as number) < value; place--) largest[place] = largest[place - 1] as number
    largest[place] = value
  }
  return largest
}
