import { subgraphsOf } from "./graph-order.ts"
import type { NodeProto } from "./proto.ts"

/** Ops that make sequences, maps and optional values. */
const makers = new Set([
  "SequenceConstruct",
  "SequenceEmpty",
  "SequenceInsert",
  "SequenceErase",
  "SequenceMap",
  "SplitToSequence",
  "Optional",
  "OptionalGetElement",
  "ZipMap",
])

/** Ops that hand on what they read, whatever kind it is. */
const carriers = new Set(["Identity"])

/**
 * Outputs of the nodes, in order, that are or may be something else than a tensor: sequences, maps, optional values.
 *
 * @param found those known already, from the graph around
 */
export function nonTensorsOf(nodes: readonly NodeProto[], found: ReadonlySet<string> = new Set()): Set<string> {
  const others = new Set(found)
  for (const node of nodes) {
    const { opType, input, output } = node
    const op = opType ?? ""
    const carries = carriers.has(op) && others.has(input?.[0] ?? "")
    if (makers.has(op) || carries) for (const name of output ?? []) others.add(name)
    for (const graph of subgraphsOf(node)) {
      const inside = nonTensorsOf(graph.node ?? [], others)
      const names = (graph.output ?? []).map(({ name }) => name ?? "")
      // The body of a loop first says whether it goes on; the node itself does not give that out.
      const results = op === "Loop" ? names.slice(1) : names
      for (const [position, name] of results.entries()) if (inside.has(name)) others.add(output?.[position] ?? "")
    }
  }
  return others
}
