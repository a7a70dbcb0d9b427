import { LearnlossError } from "../errors.ts"
import { subgraphsOf } from "./graph-order.ts"
import { int64ToNumber, type NodeProto } from "./proto.ts"

/**
 * Takes left-out inputs off the end of every node's list: they mean the same as none, and ONNX Runtime 1.30 dies of some.
 * Refuses the nodes that it dies of and that no exporter writes: no error of ours could be told after that.
 *
 * @throws LearnlossError `ONNX_GRAPH` naming the node
 */
export function defuseNodes(nodes: readonly NodeProto[], where: string): void {
  for (const node of nodes) {
    while (node.input?.at(-1) === "") node.input.pop()
    const { opType, domain } = node
    const isOnnx = domain === "" || domain === "ai.onnx" || domain === null || domain === undefined
    if (isOnnx && opType === "GatherND" && intOf(node, "batch_dims", 0) < 0)
      refuse(node, where, "batch_dims of 0 or more")
    const parts = node.output?.length ?? 0
    if (isOnnx && opType === "Split" && intOf(node, "num_outputs", parts) !== parts)
      refuse(node, where, `num_outputs ${parts}, as many as it has`)
    for (const graph of subgraphsOf(node)) defuseNodes(graph.node ?? [], where)
  }
}

function intOf({ attribute }: NodeProto, name: string, fallback: number): number {
  const found = attribute?.find((each) => each.name === name)
  return found?.i === undefined || found.i === null ? fallback : int64ToNumber(found.i)
}

function refuse({ opType, name, output }: NodeProto, where: string, expected: string): never {
  throw new LearnlossError("ONNX_GRAPH", {
    where: `${where}, ${opType} node "${name || (output?.[0] ?? "")}"`,
    expected,
    got: "another number",
    fix: "Export the network again; the file is damaged or written by a broken exporter.",
  })
}
