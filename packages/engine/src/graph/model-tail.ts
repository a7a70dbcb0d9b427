import type { OnnxAttribute } from "./onnx-attribute.ts"
import type { DataType, Tensor } from "./tensor.ts"

/** A node of ONNX as it is written. */
export interface TailNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>
}

/**
 * Nodes of ONNX that follow a graph in a written model and give its first outputs. Their sizes may depend on the data, which
 * a graph cannot say. What they read of the graph's named outputs is no output of the model any more.
 */
export interface ModelTail {
  /** In an order in which they can run; values of their own must be named otherwise than any in the graph. */
  readonly nodes: readonly TailNode[]
  readonly constants: Readonly<Record<string, Tensor>>
  /** Types of the outputs and their lengths, open ones by a name. */
  readonly outputs: Readonly<Record<string, { readonly dtype: DataType; readonly shape: readonly (number | string)[] }>>
}
