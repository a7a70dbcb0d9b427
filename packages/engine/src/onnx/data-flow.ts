import type { Shape } from "../graph/tensor.ts"
import { valuesReadBy } from "./graph-order.ts"
import type { OnnxDataType, OnnxModel, OnnxNode } from "./model.ts"
import { sourceOf } from "./proto.ts"

/** Types and shapes of values by name, as `probeShapes` finds them. */
export type KnownShapes = ReadonlyMap<string, { readonly dataType: OnnxDataType; readonly shape: Shape }>

/** How data run through a file. */
export interface DataFlow {
  /** The node that makes a value. */
  readonly makers: ReadonlyMap<string, OnnxNode>
  /** Nodes that read a value, in order. */
  readonly readers: ReadonlyMap<string, readonly OnnxNode[]>
  /** Values that depend on what is fed; what depends on shapes only is not among them. */
  readonly fed: ReadonlySet<string>
  /** All values that a node reads, those of its subgraphs included. */
  reads(node: OnnxNode): readonly string[]
}

const shapeOps = new Set(["Shape", "Size"])

export function dataFlow(model: OnnxModel): DataFlow {
  const source = sourceOf(model)
  const readsOf = new Map<OnnxNode, readonly string[]>()
  const makers = new Map<string, OnnxNode>()
  const readers = new Map<string, OnnxNode[]>()
  const fed = new Set(model.inputs.map(({ name }) => name))
  for (const [index, node] of model.nodes.entries()) {
    const proto = source?.nodes[index]
    const reads = proto === undefined ? node.inputs.filter((name) => name !== "") : [...valuesReadBy(proto)]
    readsOf.set(node, reads)
    for (const name of reads) {
      const known = readers.get(name)
      if (known === undefined) readers.set(name, [node])
      else known.push(node)
    }
    const isFed = !(shapeOps.has(node.op) && node.domain === "") && reads.some((name) => fed.has(name))
    for (const output of node.outputs) {
      if (output === "") continue
      makers.set(output, node)
      if (isFed) fed.add(output)
    }
  }
  return { makers, readers, fed, reads: (node) => readsOf.get(node) ?? [] }
}

/** The values that any of the given ones depend on, themselves included. */
export function ancestorsOf({ makers, reads }: DataFlow, values: readonly string[]): Set<string> {
  const found = new Set<string>()
  const pending = [...values]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (found.has(name)) continue
    found.add(name)
    const maker = makers.get(name)
    if (maker !== undefined) for (const read of reads(maker)) pending.push(read)
  }
  return found
}

/** Whether a value may carry features: an element type with fractions, or one that nobody knows. */
export function isFloat(shapes: KnownShapes, name: string): boolean {
  const dataType = shapes.get(name)?.dataType
  return dataType === undefined || dataType.startsWith("float") || dataType === "bfloat16"
}
