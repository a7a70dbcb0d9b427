import type { NamedOutputs } from "../graph/codec.ts"
import { type AnyNode, type Graph, type Node, nodesNeededFor, type Value } from "../graph/graph.ts"
import { knownChannels, knownTensor } from "../graph/known-tensor.ts"
import { countReaders } from "../graph/rewrite.ts"
import { isSameShape, sizeOf, type Tensor } from "../graph/tensor.ts"

/** The largest and the least value that may leave a chain, where its last node bounds it. */
export interface Bounds {
  readonly low: number
  readonly high: number
}

/** Nodes that become one on eight bits, named by the value that leaves the last of them. */
export type Chain =
  /** Convolution by a known weight, its known bias and the activation that bounds it. */
  | {
      readonly kind: "convolution"
      readonly node: Node<"Conv">
      readonly weight: Tensor
      readonly bias: Float32Array | undefined
      readonly bounds: Bounds
    }
  /** Sum of two values that are on eight bits anyway, and the activation that bounds it. */
  | { readonly kind: "sum"; readonly node: Node<"Add">; readonly bounds: Bounds }
  | { readonly kind: "pool"; readonly node: Node<"MaxPool"> }
  /** Product with a known matrix; what leaves it is `float32`. */
  | { readonly kind: "product"; readonly node: Node<"Gemm"> | Node<"MatMul">; readonly weight: Tensor }

/** What of a graph is computed on eight bits. */
export interface QuantizedChains {
  /** By the value that leaves a chain. */
  readonly chains: ReadonlyMap<Value, Chain>
  /** Nodes that a chain takes along before its last. */
  readonly absorbed: ReadonlySet<AnyNode>
  /** Values whose range must be known, in the order in which they are computed, and where that range must end. */
  readonly measured: ReadonlyMap<Value, Bounds>
  /** Convolutions and products with known weights, on eight bits and left in `float32`. */
  readonly quantizedProducts: number
  readonly floatProducts: number
}

export const unbounded: Bounds = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }

/**
 * Products with fewer weights stay in `float32`: there is no time to win, and such last layers make the scores.
 */
const fewestWeights = 2 ** 16

/**
 * Convolutions that read fewer channels stay in `float32`: products on eight bits take four at once and are filled up to
 * whole registers, so the first layer is slower on them, and it is the one that loses most.
 */
const fewestChannels = 8

/**
 * Finds what can be computed on eight bits.
 *
 * @param graph an evaluation graph, its normalisation folded and its weights constants
 */
export function findQuantizedChains(graph: Graph, outputs: NamedOutputs): QuantizedChains {
  const nodes = nodesNeededFor(graph, Object.values(outputs))
  const readers = countReaders(nodes, outputs)
  const readerOf = new Map(nodes.flatMap((node) => node.inputs.map((input) => [input, node] as const)))
  /** The node that alone reads a value. */
  const onlyReader = (value: Value) => (readers.get(value) === 1 ? readerOf.get(value) : undefined)
  const chains = new Map<Value, Chain>()
  const absorbed = new Set<AnyNode>()
  const measured = new Map<Value, Bounds>()
  const onBytes = new Set<Value>()
  let quantizedProducts = 0
  let floatProducts = 0
  /** Extends a chain by the activation behind a value, if that only bounds it. */
  const bounded = (last: AnyNode): { end: Value; bounds: Bounds } => {
    const value = last.outputs[0] as Value
    const activation = onlyReader(value)
    const bounds = activation === undefined ? undefined : boundsOf(activation)
    if (activation === undefined || bounds === undefined) return { end: value, bounds: unbounded }
    absorbed.add(last)
    return { end: activation.outputs[0] as Value, bounds }
  }
  const read = (value: Value) => {
    if (onBytes.has(value)) return
    onBytes.add(value)
    measured.set(value, unbounded)
  }
  for (const node of nodes) {
    const [a, b] = node.inputs as [Value, Value]
    switch (node.op) {
      case "Conv": {
        const weight = knownTensor(b)
        if (weight === undefined) break
        if ((weight.shape[1] as number) < fewestChannels && node.attributes.group === 1) {
          floatProducts++
          break
        }
        read(a)
        const shift = onlyReader(node.outputs[0] as Value)
        const bias = shift === undefined ? undefined : biasOf(shift, node.outputs[0] as Value)
        if (bias !== undefined) absorbed.add(node)
        const { end, bounds } = bounded(bias === undefined ? node : (shift as AnyNode))
        chains.set(end, { kind: "convolution", node, weight, bias, bounds })
        measured.set(end, bounds)
        onBytes.add(end)
        quantizedProducts++
        break
      }
      case "Add": {
        if (!onBytes.has(a) || !onBytes.has(b) || !isSameShape(a.shape, b.shape)) break
        const { end, bounds } = bounded(node)
        chains.set(end, { kind: "sum", node, bounds })
        measured.set(end, bounds)
        onBytes.add(end)
        break
      }
      case "MaxPool":
        if (!onBytes.has(a) || readers.has(node.outputs[1] as Value)) break
        chains.set(node.outputs[0] as Value, { kind: "pool", node })
        onBytes.add(node.outputs[0] as Value)
        break
      case "Gemm":
      case "MatMul": {
        const weight = knownTensor(b)
        if (weight === undefined) break
        const isLarge = weight.shape.length === 2 && sizeOf(weight.shape) >= fewestWeights
        const isPlain = node.op === "MatMul" || (!node.attributes.transA && node.attributes.alpha === 1)
        if (!isLarge || !isPlain) {
          floatProducts++
          break
        }
        read(a)
        chains.set(node.outputs[0] as Value, { kind: "product", node, weight })
        quantizedProducts++
        break
      }
      case "ConvTranspose":
        floatProducts++
    }
  }
  return { chains, absorbed, measured, quantizedProducts, floatProducts }
}

/** The numbers that a node adds to each channel of a value; undefined if it does something else. */
function biasOf(node: AnyNode, value: Value): Float32Array | undefined {
  if (node.op !== "Add") return undefined
  const other = node.inputs.find((input) => input !== value)
  return other === undefined ? undefined : knownChannels(other, value.shape)
}

/** Bounds of an activation that eight bits keep by themselves, since nothing lies outside their range. */
function boundsOf(node: AnyNode): Bounds | undefined {
  if (node.op === "Relu") return { low: 0, high: Number.POSITIVE_INFINITY }
  if (node.op !== "Clip" || node.attributes.low > 0 || node.attributes.high < 0) return undefined
  return node.attributes
}
