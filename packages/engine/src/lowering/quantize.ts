import { InternalError } from "../errors.ts"
import { concat, expand, neg, reduceMax, reshape } from "../graph/build.ts"
import type { NamedOutputs } from "../graph/codec.ts"
import type { Graph, Value } from "../graph/graph.ts"
import { rewrite } from "../graph/rewrite.ts"
import { foldNormalization } from "./fold-normalization.ts"
import { type LoweredGraph, lower } from "./lower.ts"
import { fixedPlan } from "./plan.ts"
import { type Bounds, findQuantizedChains, type QuantizedChains, unbounded } from "./quantized-chains.ts"
import { computeOnBytes, multiplyOnBytes, type OnBytes, quantizationFor } from "./quantized-products.ts"

/** Least and largest number of a value, by its name in the graph that is measured. */
export type Ranges = ReadonlyMap<string, Bounds>

/** A graph on eight bits, and how much of it is. */
export interface QuantizedGraph extends LoweredGraph {
  readonly quantizedProducts: number
  readonly floatProducts: number
}

/** What is measured, and quantised: plain ops, batch normalisation inside the convolutions. */
function prepare(graph: Graph, outputs: NamedOutputs): LoweredGraph & QuantizedChains {
  const lowered = lower(graph, outputs, fixedPlan)
  const folded = foldNormalization(lowered.graph, lowered.outputs)
  return { ...folded, ...findQuantizedChains(folded.graph, folded.outputs) }
}

/** How many convolutions and products of a graph `quantize` would put on eight bits, and how many it would leave. */
export function countQuantized(
  graph: Graph,
  outputs: NamedOutputs,
): Pick<QuantizedGraph, "quantizedProducts" | "floatProducts"> {
  const { quantizedProducts, floatProducts } = prepare(graph, outputs)
  return { quantizedProducts, floatProducts }
}

/**
 * The graph that measures what `quantize` must know: its one output is [N, 2 V], the largest number of each of V values
 * in a sample, followed by the largest of their opposites.
 *
 * @param graph an evaluation graph, its weights constants; the first axis of its inputs is the batch
 */
export function buildRangeGraph(
  graph: Graph,
  outputs: NamedOutputs,
): { readonly graph: Graph; readonly ranges: Value; readonly names: readonly string[] } {
  const { graph: prepared, measured } = prepare(graph, outputs)
  const batch = prepared.inputs[0]?.shape[0] as number
  const values = [...measured.keys()]
  const columns = [...values, ...values.map(neg)].map((value) => largestOf(value, batch))
  return { graph: prepared, ranges: concat(columns, 1), names: values.map(({ name }) => name) }
}

/** The largest number of each sample, [batch, 1]; of all of them where samples do not follow one another. */
function largestOf(value: Value, batch: number): Value {
  const axes = value.shape.map((_, axis) => axis)
  return value.shape[0] === batch
    ? reshape(reduceMax(value, axes.slice(1)), [batch, 1])
    : expand(reshape(reduceMax(value, axes), [1, 1]), [batch, 1])
}

/**
 * The range of each value over all samples.
 *
 * @param names as `buildRangeGraph` gives them
 * @param numbers [N, 2 V], what its graph gives
 */
export function rangesFrom(names: readonly string[], numbers: Float32Array): Ranges {
  const width = 2 * names.length
  const largest = (column: number) => {
    let most = Number.NEGATIVE_INFINITY
    for (let at = column; at < numbers.length; at += width) most = Math.max(most, numbers[at] as number)
    return most
  }
  return new Map(names.map((name, index) => [name, { low: -largest(names.length + index), high: largest(index) }]))
}

/**
 * Rewrites a graph so that its convolutions and large products are computed on eight bits: weights as int8 with a scale
 * for each output channel, what flows between them as uint8. Everything else stays in `float32`.
 *
 * @param ranges of the values that `buildRangeGraph` names
 * @param weightLimit largest magnitude of a weight: 127, or less on processors whose sums of products overflow
 */
export function quantize(graph: Graph, outputs: NamedOutputs, ranges: Ranges, weightLimit = 127): QuantizedGraph {
  const prepared = prepare(graph, outputs)
  const { chains, absorbed, measured, quantizedProducts, floatProducts } = prepared
  const bytes = new Map<Value, OnBytes>()
  const rewritten = rewrite(prepared.graph, prepared.outputs, (node, map, target) => {
    const quantizationOf = (value: Value) => {
      const range = ranges.get(value.name)
      if (range === undefined) throw new InternalError(`the range of ${value.name} was not measured`)
      return quantizationFor(range, measured.get(value) ?? unbounded)
    }
    /** A value on eight bits, and how. */
    const onBytes = (value: Value) => {
      const known = bytes.get(value)
      if (known !== undefined) return known
      const quantization = quantizationOf(value)
      const made = { value: target.add("QuantizeLinear", [map(value)], quantization)[0] as Value, quantization }
      bytes.set(value, made)
      return made
    }
    if (absorbed.has(node)) return []
    const end = node.outputs[0] as Value
    const chain = chains.get(end)
    if (chain === undefined) return undefined
    if (chain.kind === "product") return [multiplyOnBytes(chain, onBytes(chain.node.inputs[0] as Value), weightLimit)]
    const inputs = chain.node.inputs.slice(0, chain.kind === "sum" ? 2 : 1).map(onBytes)
    const to = chain.kind === "pool" ? (inputs[0] as OnBytes).quantization : quantizationOf(end)
    const made = computeOnBytes(chain, inputs, to, weightLimit)
    bytes.set(end, made)
    return [target.add("DequantizeLinear", [made.value], made.quantization)[0] as Value]
  })
  return { ...rewritten, quantizedProducts, floatProducts }
}
