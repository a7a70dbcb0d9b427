import type { NetworkBuilder, Value } from "@learnloss/engine"

/** What a network gives for a batch. */
export interface ModelOutput {
  /** What the task reads, e.g. logits [B, classes]. */
  readonly output: Value
  /** Feature maps that the loss prediction module reads, [B, C, H, W] each. */
  readonly taps: readonly Value[]
  /** Features by which samples are compared, [B, D]. */
  readonly embedding: Value
}

/** A network: it adds its layers to a graph under the builder's scope. */
export interface Model {
  /** @param images [B, C, H, W] float32, normalised */
  build(b: NetworkBuilder, images: Value): ModelOutput
}

export interface ModelOptions {
  /** Channels of the first stage. */
  readonly width: number
  /** Size of the network's output, e.g. the number of classes. */
  readonly outputs: number
}
