import { linear, type NetworkBuilder, op, pooled, type Value } from "@learnloss/engine"

export interface LossModuleOptions {
  /** Outputs of the fully connected layer of each tap. */
  readonly width: number
  /** Where the module's gradient into the network goes: multiplied by this scalar, or nowhere. */
  readonly gradient: { readonly kind: "scaled"; readonly factor: Value } | { readonly kind: "stopped" }
  /** Detached statistics of the network's output, [B, S], that the module reads beside the taps. */
  readonly outputStatistics?: Value
}

export interface LossModuleOutput {
  /** [B]: higher means a larger expected loss; its scale has no unit under the ranking objective. */
  readonly predictedLoss: Value
  /** [B, width * branches]: what the last layer reads. */
  readonly embedding: Value
}

/**
 * The loss prediction module (Yoo & Kweon 2019, figure 2): each tapped feature map is averaged over its positions,
 * passed through a fully connected layer and ReLU; all are concatenated and one linear layer gives the predicted loss.
 *
 * @param taps feature maps [B, C, H, W], or features [B, C] that are read as they are
 */
export function lossModule(b: NetworkBuilder, taps: readonly Value[], options: LossModuleOptions): LossModuleOutput {
  const { width, gradient, outputStatistics } = options
  const branches = taps.map((tap, index) => {
    // The factor scales the pooled features' gradient, [B, C], before it spreads over all positions.
    const features = tap.shape.length === 2 ? tap : pooled(tap)
    const read = gradient.kind === "stopped" ? op.stopGradient(features) : op.scaleGradient(features, gradient.factor)
    return op.relu(linear(b.scope(`fc.${index}`), read, width))
  })
  if (outputStatistics !== undefined)
    branches.push(op.relu(linear(b.scope("outputs"), op.stopGradient(outputStatistics), width)))
  const embedding = op.concat(branches, 1)
  const score = linear(b.scope("out"), embedding, 1)
  return { predictedLoss: op.reshape(score, [score.shape[0] as number]), embedding }
}
