import { InternalError } from "../errors.ts"
import type { NamedOutputs } from "./codec.ts"
import { type AnyNode, Graph, nodesNeededFor, type Value } from "./graph.ts"

/** The value of the new graph that stands for one of the old. */
export type ValueMap = (value: Value) => Value

/**
 * Copies what the outputs need into a new graph, node by node, in an order in which every node stands after what it reads.
 * Inputs keep their names. A replaced node's inputs may be left without a reader; encoding drops them.
 *
 * @param replace gives what takes the place of a node's outputs, in the new graph; undefined copies the node
 */
export function rewrite(
  graph: Graph,
  outputs: NamedOutputs,
  replace: (node: AnyNode, map: ValueMap, rewritten: Graph) => readonly Value[] | undefined,
): { readonly graph: Graph; readonly outputs: NamedOutputs } {
  const rewritten = new Graph()
  const mapped = new Map<Value, Value>()
  for (const input of graph.inputs) mapped.set(input, rewritten.input(input.name, input.dtype, input.shape))
  const map: ValueMap = (value) => {
    const known = mapped.get(value)
    if (known !== undefined) return known
    const tensor = graph.constants.get(value)
    if (tensor === undefined) throw new InternalError(`${value.name} was read before it was made`)
    const constant = rewritten.constant(tensor, value.name)
    mapped.set(value, constant)
    return constant
  }
  for (const node of nodesNeededFor(graph, Object.values(outputs))) {
    const made = replace(node, map, rewritten) ?? rewritten.add(node.op, node.inputs.map(map), node.attributes)
    for (const [position, value] of made.entries()) mapped.set(node.outputs[position] as Value, value)
  }
  return {
    graph: rewritten,
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, map(value)])),
  }
}

/** How many nodes and outputs read each value. */
export function countReaders(nodes: readonly AnyNode[], outputs: NamedOutputs): ReadonlyMap<Value, number> {
  const readers = new Map<Value, number>()
  for (const value of [...nodes.flatMap(({ inputs }) => inputs), ...Object.values(outputs)])
    readers.set(value, (readers.get(value) ?? 0) + 1)
  return readers
}
