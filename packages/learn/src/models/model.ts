import type { NetworkBuilder, Shape, Value } from "@learnloss/engine"

/** What a network gives for a batch. */
export interface ModelOutput {
  /** What the task reads, e.g. logits [B, classes]. */
  readonly output: Value
  /** Features that the loss prediction module reads: maps [B, C, ...], averaged over their positions, or [B, C]. */
  readonly taps: readonly Value[]
  /** Features by which samples are compared, [B, D]. */
  readonly embedding: Value
}

/** A network: it adds its layers to a graph under the builder's scope. */
export interface Model {
  /** What the graph is fed in place of images: the outputs of a frozen part, computed outside. Absent: the images. */
  readonly frozen?: FrozenPart
  /** @param inputs the images [B, C, H, W] float32, normalised; or the frozen part's outputs in their order */
  build(b: NetworkBuilder, inputs: readonly [Value, ...Value[]]): ModelOutput
}

/** The first part of a network, which training leaves as it is. */
export interface FrozenPart {
  /** Tells two frozen parts apart whose outputs differ for the same image; hexadecimal. */
  readonly digest: string
  /** An ONNX model with a dynamic batch. */
  readonly model: Uint8Array
  /** Name of the model's input, and whether it takes [B, C, H, W] or [B, H, W, C]. */
  readonly input: { readonly name: string; readonly isChannelsLast: boolean }
  /** Outputs by name, with shapes for one sample. */
  readonly outputs: readonly { readonly name: string; readonly shape: Shape }[]
}

export interface ModelOptions {
  /** Channels of the first stage. */
  readonly width: number
  /** Size of the network's output, e.g. the number of classes. */
  readonly outputs: number
}
