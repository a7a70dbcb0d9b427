import type { Graph, Value } from "../../graph/graph.ts"
import type { Tensor } from "../../graph/tensor.ts"
import type { NetworkBuilder } from "../../nn/network.ts"
import type { OnnxNode } from "../model.ts"

/** Reads the attributes of a node; a value of another kind is refused with `ONNX_ATTRIBUTE`. */
export interface NodeAttributes {
  has(name: string): boolean
  int(name: string, fallback: number): number
  float(name: string, fallback: number): number
  string(name: string, fallback: string): string
  ints(name: string): readonly number[] | undefined
  floats(name: string): readonly number[] | undefined
  strings(name: string): readonly string[] | undefined
  tensor(name: string): Tensor | undefined
}

/** What is known of a node wherever it is handled. */
export interface NodeView extends NodeAttributes {
  readonly node: OnnxNode
  /** Version of the operator set that the file was written in, 11 to 22. */
  readonly opset: number
  /** Refuses the node with `ONNX_UNSUPPORTED`, naming file, op and node. */
  fail(expected: string, got: string, fix?: string): never
}

/** What an import rule sees of its node: inputs as values of the graph, or as numbers where they do not depend on data. */
export interface ImportContext extends NodeView {
  readonly b: NetworkBuilder
  readonly graph: Graph
  /** Number of inputs that the node lists, left-out ones included. */
  readonly inputCount: number
  /** Whether the input is given. */
  hasInput(position: number): boolean
  /** The input as a value; numbers become a constant of the graph. */
  input(position: number): Value
  /** The input's numbers; undefined where it is left out or depends on data, parameters or buffers. */
  constant(position: number): Tensor | undefined
  /** The numbers of an integer input that must not depend on data (axes, shapes, pads); undefined where it is left out. */
  constantInts(position: number): readonly number[] | undefined
  /** The numbers of a float input that must not depend on data (bounds, scales, ratios); undefined where it is left out. */
  constantFloats(position: number): readonly number[] | undefined
  /** The statistics of the normalisation stay as the file has them. */
  readonly isNormFrozen: boolean
}

/** How one op of ONNX is written in the engine's ops. */
export interface ImportRule {
  /** First version of the operator set in which the op exists in a form that is read, at least 11. */
  readonly since: number
  /** Whether a gradient reaches its inputs (`false` for comparisons, rounding, positions). */
  readonly gradient: boolean
  /** The outputs, in order; outputs that nobody reads may be left out at the end. */
  build(context: ImportContext): Value | readonly Value[]
}

/** Computes a node from numbers alone: shapes, axes and the arithmetic around them. Undefined inputs are left out. */
export type FoldRule = (inputs: readonly (Tensor | undefined)[], view: NodeView) => readonly Tensor[]
