import { add, conv } from "../graph/build.ts"
import type { NamedOutputs } from "../graph/codec.ts"
import { type AnyNode, type Graph, type Node, nodesNeededFor, type Value } from "../graph/graph.ts"
import { knownChannels, knownTensor } from "../graph/known-tensor.ts"
import { countReaders, rewrite } from "../graph/rewrite.ts"
import { floatTensor } from "../graph/tensor.ts"
import type { LoweredGraph } from "./lower.ts"

/**
 * Puts batch normalisation into the convolution before it, where the numbers of both are known and nothing else reads
 * what is between them: `(conv(x, w) + b - mean) scale / sqrt(variance + epsilon) + shift` becomes `conv(x, w') + b'`,
 * b' being a constant [1, O, 1, 1]. The new numbers are worked out in double precision and rounded once.
 *
 * @param graph an evaluation graph: weights are constants, normalisation uses running statistics
 */
export function foldNormalization(graph: Graph, outputs: NamedOutputs): LoweredGraph {
  const readers = countReaders(nodesNeededFor(graph, Object.values(outputs)), outputs)
  return rewrite(graph, outputs, (node, map, folded) => {
    if (node.op !== "BatchNormalization" || node.attributes.training) return undefined
    const norm = normOf(node)
    const before = convolutionBefore(node.inputs[0] as Value, readers)
    if (norm === undefined || before === undefined) return undefined
    const { convolution, weight, bias } = before
    const [x, { name, shape }] = convolution.inputs as [Value, Value]
    const scaled = scaledByChannel(weight, norm)
    const shift = Float32Array.from(norm, ({ factor, offset }, at) => (bias?.[at] ?? 0) * factor + offset)
    const y = conv(map(x), folded.constant(floatTensor(shape, scaled), name), convolution.attributes)
    return [add(y, folded.constant(floatTensor([1, shift.length, 1, 1], shift), `${name} shift`))]
  })
}

/** A weight [O, ...] times the factor of each output channel; a plain loop, since a network has millions of numbers. */
function scaledByChannel(weight: Float32Array, norm: readonly ChannelNorm[]): Float32Array {
  const scaled = new Float32Array(weight.length)
  const kernel = weight.length / norm.length
  for (const [channel, { factor }] of norm.entries()) {
    for (let at = channel * kernel; at < (channel + 1) * kernel; at++) scaled[at] = (weight[at] as number) * factor
  }
  return scaled
}

/** What normalisation makes of a channel: `factor x + offset`. */
interface ChannelNorm {
  readonly factor: number
  readonly offset: number
}

/** One norm per channel; undefined where its numbers are not known. */
function normOf({ inputs, attributes }: Node<"BatchNormalization">): ChannelNorm[] | undefined {
  const numbers = inputs.slice(1).map((value) => knownTensor(value)?.data as Float32Array | undefined)
  const [scale, shift, mean, variance] = numbers
  if (scale === undefined || shift === undefined || mean === undefined || variance === undefined) return undefined
  return Array.from(scale, (factorBefore, channel) => {
    const factor = factorBefore / Math.sqrt((variance[channel] as number) + attributes.epsilon)
    return { factor, offset: (shift[channel] as number) - (mean[channel] as number) * factor }
  })
}

/** The convolution of known weight that gives a value, alone or with a known bias, and that nothing else reads. */
function convolutionBefore(value: Value, readers: ReadonlyMap<Value, number>) {
  const made = producerReadOnce(value, readers)
  if (made?.op === "Conv") return describe(made, undefined)
  if (made?.op !== "Add") return undefined
  for (const [x, other] of [made.inputs, made.inputs.toReversed()] as [Value, Value][]) {
    const convolution = producerReadOnce(x, readers)
    const bias = convolution?.op === "Conv" ? knownChannels(other, x.shape) : undefined
    if (convolution?.op === "Conv" && bias !== undefined) return describe(convolution, bias)
  }
  return undefined
}

function describe(convolution: Node<"Conv">, bias: Float32Array | undefined) {
  const weight = knownTensor(convolution.inputs[1] as Value)?.data as Float32Array | undefined
  return weight === undefined ? undefined : { convolution, weight, bias }
}

function producerReadOnce(value: Value, readers: ReadonlyMap<Value, number>): AnyNode | undefined {
  return readers.get(value) === 1 ? value.graph.producerOf(value) : undefined
}
