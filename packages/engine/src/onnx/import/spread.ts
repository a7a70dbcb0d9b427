import { expand } from "../../graph/build.ts"
import type { Graph, Value } from "../../graph/graph.ts"
import { type Shape, sizeOf, type Tensor } from "../../graph/tensor.ts"
import type { OnnxNode } from "../model.ts"

/** Ops that repeat what they are given, and which of their inputs says how often. */
export const spreadingOps: Readonly<Record<string, number>> = { Expand: 1, Tile: 1, ConstantOfShape: 0 }

/**
 * What a node spreads over the samples of a batch, such as a frozen class token, as a value that the graph repeats: as
 * plain numbers it would hold one batch only.
 *
 * @param inputs of the node
 * @param folded what the node gives
 * @returns undefined for whole numbers, which lengths are computed from, and where a repetition is none of single rows
 */
export function spreadOver(
  graph: Graph,
  { op, inputs: names }: OnnxNode,
  inputs: readonly (Tensor | undefined)[],
  folded: readonly Tensor[],
): Value | undefined {
  const [result] = folded
  const source = op === "ConstantOfShape" ? firstOf(result) : inputs[0]
  if (result === undefined || source === undefined || source.dtype === "int64") return undefined
  return isSpread(source.shape, result.shape)
    ? expand(graph.constant(source, op === "ConstantOfShape" ? undefined : names[0]), result.shape)
    : undefined
}

function firstOf(tensor: Tensor | undefined): Tensor | undefined {
  if (tensor === undefined || sizeOf(tensor.shape) === 0) return undefined
  return { ...tensor, shape: [], data: tensor.data.slice(0, 1) } as Tensor
}

function isSpread(from: Shape, to: Shape): boolean {
  return from.every((length, axis) => length === 1 || length === to[to.length - from.length + axis])
}
