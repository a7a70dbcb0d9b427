import { add, div, erf, matMul, mul, transpose } from "../graph/build.ts"
import type { NamedOutputs } from "../graph/codec.ts"
import type { AnyNode, Graph, Value } from "../graph/graph.ts"
import { rewrite } from "../graph/rewrite.ts"
import type { LoweredGraph } from "./lower.ts"

/**
 * Writes what only ONNX Runtime's processor has an op for in ops of ONNX, for files that others read and for devices
 * without that kernel.
 */
export function plainOps(graph: Graph, outputs: NamedOutputs): LoweredGraph {
  return rewrite(graph, outputs, (node, map) => plainNode(node, node.inputs.map(map)))
}

/** One node in ops of ONNX; undefined where it is one. */
export function plainNode(node: AnyNode, [a, b]: readonly Value[]): readonly Value[] | undefined {
  switch (node.op) {
    case "Gelu":
      return [plainGelu(a as Value)]
    case "FusedMatMul": {
      const { transA, transB, alpha } = node.attributes
      const product = matMul(swapped(a as Value, transA), swapped(b as Value, transB))
      return [alpha === 1 ? product : mul(product, alpha)]
    }
    default:
      return undefined
  }
}

/** As PyTorch's exporter writes it, which ONNX Runtime and others put together again. */
function plainGelu(x: Value): Value {
  return mul(mul(x, add(erf(div(x, Math.SQRT2)), 1)), 0.5)
}

/** The last two axes change places. */
function swapped(x: Value, isAsked: boolean): Value {
  if (!isAsked) return x
  const last = x.shape.length - 1
  return transpose(x, [...x.shape.keys()].with(last, last - 1).with(last - 1, last))
}
