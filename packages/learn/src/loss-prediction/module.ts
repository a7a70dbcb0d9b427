import { linear, type NetworkBuilder, op, pooled, type Value } from "@learnloss/engine"
import { rememberBatch } from "./memory.ts"

export interface LossModuleOptions {
  /** Outputs of the fully connected layer of each tap. */
  readonly width: number
  /** Where the module's gradient into the network goes: multiplied by this scalar, or nowhere. */
  readonly gradient: { readonly kind: "scaled"; readonly factor: Value } | { readonly kind: "stopped" }
  /** Detached statistics of the network's output, [B, S], that the module reads beside the taps. */
  readonly outputStatistics?: Value
  /** Remembers as many samples of the latest steps with their target losses [B]; only for training. */
  readonly memory?: { readonly size: number; readonly targetLoss: Value }
}

/** Samples of earlier steps, with what the module says of them now. */
export interface Remembered {
  /** [M] */
  readonly predictedLoss: Value
  /** [M], as they were then. */
  readonly targetLoss: Value
  /** [M]: 1 where a sample is remembered, 0 where none has come yet. */
  readonly isFilled: Value
}

export interface LossModuleOutput {
  /** [B]: higher means a larger expected loss; its scale has no unit under the ranking objective. */
  readonly predictedLoss: Value
  /** [B, width * branches]: what the last layer reads. */
  readonly embedding: Value
  /** Only with a memory. */
  readonly remembered?: Remembered
}

/**
 * The loss prediction module (Yoo & Kweon 2019, figure 2): each tapped feature map is averaged over its positions,
 * passed through a fully connected layer and ReLU; all are concatenated and one linear layer gives the predicted loss.
 *
 * @param taps feature maps [B, C, H, W], or features [B, C] that are read as they are
 */
export function lossModule(b: NetworkBuilder, taps: readonly Value[], options: LossModuleOptions): LossModuleOutput {
  const { width, gradient, outputStatistics, memory } = options
  const read = new Map(
    taps.map((tap, index) => {
      // The factor scales the pooled features' gradient, [B, C], before it spreads over all positions.
      const features = tap.shape.length === 2 ? tap : pooled(tap)
      const reached =
        gradient.kind === "stopped" ? op.stopGradient(features) : op.scaleGradient(features, gradient.factor)
      return [`fc.${index}`, reached]
    }),
  )
  if (outputStatistics !== undefined) read.set("outputs", op.stopGradient(outputStatistics))
  const known = memory && rememberBatch(b.scope("memory"), read, memory.targetLoss, memory.size)
  // Remembered samples pass through the module below those of the batch, so that its weights are used once.
  const branches = [...read].map(([name, features]) => {
    const earlier = known?.features.get(name)
    const rows = earlier === undefined ? features : op.concat([features, earlier], 0) // [B + M, C]
    return op.relu(linear(b.scope(name), rows, width))
  })
  const embedding = op.concat(branches, 1)
  const score = linear(b.scope("out"), embedding, 1)
  const predicted = op.reshape(score, [score.shape[0] as number])
  if (memory === undefined || known === undefined) return { predictedLoss: predicted, embedding }
  const batch = memory.targetLoss.shape[0] as number
  const { targetLoss, isFilled } = known
  return {
    predictedLoss: op.slice(predicted, 0, 0, batch),
    embedding: op.slice(embedding, 0, 0, batch),
    remembered: { predictedLoss: op.slice(predicted, 0, batch, batch + memory.size), targetLoss, isFilled },
  }
}
