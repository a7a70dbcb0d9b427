import type { RunConfig } from "@learnloss/contract"
import type { NetworkBuilder, Shape, TensorMap, Value } from "@learnloss/engine"
import type { ImageShape } from "../data/dataset.ts"
import type { DefaultBoxes } from "./ssd/default-boxes.ts"

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
  /** Of a detector, whose output is [B, P, 4 + 1 + classes]: offsets from each of P boxes, then logits, background first. */
  readonly defaultBoxes?: DefaultBoxes
  /** Of a network that finds joints, whose output is [B, stacks, joints, height, width], the last stack being the best. */
  readonly heatmaps?: Heatmaps
  /** @param inputs the images [B, C, H, W] float32, normalised; or the frozen part's outputs in their order */
  build(b: NetworkBuilder, inputs: readonly [Value, ...Value[]]): ModelOutput
}

/** Maps that are high where a joint is. */
export interface Heatmaps {
  /** How many times the network predicts them, each time from what it made of the maps before. */
  readonly stacks: number
  readonly joints: number
  readonly height: number
  readonly width: number
}

/** The one input of a network from a file, which takes images. */
export interface FileInput {
  readonly name: string
  readonly layout: "channels-first" | "channels-last" | "flat"
  /** Of one sample, in the file's own layout: [C, H, W], [H, W, C] or [C * H * W]. */
  readonly shape: Shape
}

/** The first part of a network, which training leaves as it is. */
export interface FrozenPart {
  /** Tells two frozen parts apart whose outputs differ for the same image; hexadecimal. */
  readonly digest: string
  /** An ONNX model. */
  readonly model: Uint8Array
  /** Samples that it takes at once; null where it takes any number. */
  readonly batch: number | null
  /** Where its images go, and how they are laid out. */
  readonly input: FileInput
  /** Outputs by name, with shapes for one sample. */
  readonly outputs: readonly { readonly name: string; readonly shape: Shape }[]
}

export interface ModelOptions {
  /** Channels of the first stage. */
  readonly width: number
  /** Classes of the data, or joints. */
  readonly classes: number
  readonly imageShape: ImageShape
  /** Of a stacked hourglass. */
  readonly hourglass?: Pick<RunConfig["model"], "stacks" | "blocks" | "innerTaps">
  /** First values of the backbone's parameters, by name; read when parameters get their first values. */
  readonly weights?: () => TensorMap
}
