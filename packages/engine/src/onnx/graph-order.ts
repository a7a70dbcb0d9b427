import { LearnlossError } from "../errors.ts"
import type { GraphProto, NodeProto } from "./proto.ts"

/** Subgraphs of a node: the bodies of `If`, `Loop` and `Scan`. */
export function subgraphsOf({ attribute }: NodeProto): GraphProto[] {
  return (attribute ?? []).flatMap(({ g, graphs }) => [...(g ? [g] : []), ...(graphs ?? [])])
}

/** Every value that a node reads: its inputs, and what its subgraphs take from the graph around them. */
export function valuesReadBy(node: NodeProto): Set<string> {
  const read = new Set((node.input ?? []).filter((name) => name !== ""))
  for (const graph of subgraphsOf(node)) for (const name of outerValues(graph)) read.add(name)
  return read
}

function outerValues(graph: GraphProto): Set<string> {
  const own = new Set([
    ...(graph.input ?? []).map(({ name }) => name),
    ...(graph.initializer ?? []).map(({ name }) => name),
    ...(graph.sparseInitializer ?? []).map(({ values }) => values?.name),
    ...(graph.node ?? []).flatMap(({ output }) => output ?? []),
  ])
  const read = new Set((graph.output ?? []).map(({ name }) => name ?? ""))
  for (const node of graph.node ?? []) for (const name of valuesReadBy(node)) read.add(name)
  for (const name of read) if (own.has(name)) read.delete(name)
  read.delete("")
  return read
}

/**
 * Orders nodes so that each stands after what it reads; nodes that stand in order keep their places.
 *
 * @param given names of inputs and stored tensors
 * @throws LearnlossError `ONNX_GRAPH` for a value made twice, a value that nothing makes, or a cycle
 */
export function sortNodes(nodes: readonly NodeProto[], given: ReadonlySet<string>, where: string): NodeProto[] {
  const makers = new Map<string, NodeProto>()
  for (const node of nodes) {
    if (!node.opType) broken(where, "an op for every node", `none for node "${node.name ?? ""}"`)
    for (const output of node.output ?? []) {
      if (output === "") continue
      if (makers.has(output) || given.has(output)) broken(where, "each value made once", `"${output}" made twice`)
      makers.set(output, node)
    }
  }
  const sorted: NodeProto[] = []
  const state = new Map<NodeProto, "open" | "done">()
  // An explicit stack: networks of thousands of nodes would exhaust recursion.
  for (const root of nodes) {
    const stack: { readonly node: NodeProto; readonly reads: Iterator<string> }[] = []
    const visit = (node: NodeProto) => {
      if (state.has(node)) return
      state.set(node, "open")
      stack.push({ node, reads: valuesReadBy(node).values() })
    }
    visit(root)
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.reads.next()
      if (next.done) {
        state.set(top.node, "done")
        sorted.push(top.node)
        stack.pop()
        continue
      }
      const maker = makers.get(next.value)
      if (maker === undefined) {
        if (given.has(next.value)) continue
        broken(where, "inputs that something makes", `"${next.value}" read by ${label(top.node)}, which nothing makes`)
      } else if (state.get(maker) === "open") {
        broken(where, "nodes that do not depend on themselves", `a cycle through "${next.value}" at ${label(top.node)}`)
      } else visit(maker)
    }
  }
  return sorted
}

function label({ opType, name, output }: NodeProto): string {
  return `${opType} node "${name || (output?.[0] ?? "")}"`
}

function broken(where: string, expected: string, got: string): never {
  throw new LearnlossError("ONNX_GRAPH", {
    where,
    expected,
    got,
    fix: "Export the network again; the file is damaged or written by a broken exporter.",
  })
}
