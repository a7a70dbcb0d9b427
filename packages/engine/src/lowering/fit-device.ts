import {
  add,
  exp,
  log,
  mul,
  reciprocal,
  reduceMax,
  reduceMean,
  reduceSum,
  reshape,
  split,
  sqrt,
  sub,
} from "../graph/build.ts"
import type { NamedOutputs } from "../graph/codec.ts"
import { type AnyNode, Graph, type Node, nodesNeededFor, type Value } from "../graph/graph.ts"
import type { Device } from "./device.ts"
import { plainNode } from "./plain-ops.ts"

/** Tensors that a WebGPU program may use on any GPU are eight; a `Split` uses one for the whole and one for each part. */
const mostParts = 7

/**
 * Rewrites the nodes of a lowered graph that another device than the processor cannot compute. The processor's own forms
 * stay what they are.
 */
export function fitDevice(
  graph: Graph,
  outputs: NamedOutputs,
  device: Device,
): { readonly graph: Graph; readonly outputs: NamedOutputs } {
  if (device === "cpu") return { graph, outputs }
  const fitted = new Graph()
  const mapped = new Map<Value, Value>()
  for (const input of graph.inputs) mapped.set(input, fitted.input(input.name, input.dtype, input.shape))
  for (const [value, tensor] of graph.constants) mapped.set(value, fitted.constant(tensor, value.name))
  const map = (value: Value) => mapped.get(value) as Value
  for (const node of nodesNeededFor(graph, Object.values(outputs))) {
    const results = fitNode(node, node.inputs.map(map), fitted)
    for (const [position, output] of node.outputs.entries()) mapped.set(output, results[position] as Value)
  }
  return {
    graph: fitted,
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, map(value)])),
  }
}

function fitNode(node: AnyNode, inputs: readonly Value[], graph: Graph): readonly Value[] {
  // WebGPU has no kernel for a batch's own statistics, and what the others do is not known: composed it is right on any.
  if (node.op === "BatchNormalization" && node.attributes.training) return normalizeByBatch(node, inputs)
  if (node.op === "Split") return splitInFew(inputs[0] as Value, node.attributes.axis, node.attributes.split)
  // It has no kernel there, and the processor's would have its tensors cross to it and back.
  if (node.op === "LogSoftmax") return [logSoftmaxOfParts(inputs[0] as Value, node.attributes.axis)]
  return plainNode(node, inputs) ?? graph.add(node.op, inputs, node.attributes)
}

/**
 * Nodes of a lowered graph, as they are named in its model, that WebGPU takes and then cannot run: its `MaxPool` does not
 * tell where the maximum stood.
 */
export function refusedByWebGpu(graph: Graph, outputs: NamedOutputs): string[] {
  const nodes = nodesNeededFor(graph, Object.values(outputs))
  const read = new Set([...nodes.flatMap(({ inputs }) => inputs), ...Object.values(outputs)])
  return nodes.flatMap(({ op, outputs: [maxima, positions] }) =>
    op === "MaxPool" && read.has(positions as Value) ? [(maxima as Value).name] : [],
  )
}

function logSoftmaxOfParts(x: Value, axis: number): Value {
  const shifted = sub(x, reduceMax(x, [axis], true))
  return sub(shifted, log(reduceSum(exp(shifted), [axis], true)))
}

/** Batch normalisation out of averages over all axes but the channels', in two passes: large means cost no digits. */
function normalizeByBatch({ attributes }: Node<"BatchNormalization">, inputs: readonly Value[]): readonly Value[] {
  const [x, scale, bias] = inputs as [Value, Value, Value]
  const channels = scale.shape[0] as number
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis !== 1)
  const perChannel = (value: Value) => reshape(value, [1, channels, ...x.shape.slice(2).map(() => 1)])
  const mean = reduceMean(x, axes) // [C]
  const centered = sub(x, perChannel(mean))
  const variance = reduceMean(mul(centered, centered), axes) // [C], biased as the kernel's
  const factor = mul(scale, reciprocal(sqrt(add(variance, attributes.epsilon))))
  return [add(mul(centered, perChannel(factor)), perChannel(bias)), mean, variance]
}

/** `Split` into any number of parts by nodes that have few of them. */
function splitInFew(x: Value, axis: number, lengths: readonly number[]): readonly Value[] {
  if (lengths.length <= mostParts) return split(x, axis, lengths)
  const groups: number[][] = []
  for (let start = 0; start < lengths.length; start += mostParts) groups.push(lengths.slice(start, start + mostParts))
  const sums = groups.map((group) => group.reduce((sum, length) => sum + length, 0))
  return splitInFew(x, axis, sums).flatMap((part, index) => splitInFew(part, axis, groups[index] as number[]))
}
