import { sizeOf } from "../graph/tensor.ts"
import { dataFlow, type KnownShapes } from "./data-flow.ts"
import type { OnnxModel, OnnxNode } from "./model.ts"

/** Ops whose multiplications are counted. */
export const countedOps = ["Conv", "ConvTranspose", "Gemm", "MatMul"] as const

/**
 * Floating point operations of one sample: two for each multiplication with its addition in convolutions and matrix
 * products of data; everything else is left out.
 *
 * @param batch samples that the shapes are for
 */
export function countFlops(model: OnnxModel, shapes: KnownShapes, batch: number): number {
  const { fed } = dataFlow(model)
  const total = model.nodes
    .filter(({ domain, outputs }) => domain === "" && fed.has(outputs[0] ?? ""))
    .reduce((sum, node) => sum + productFlops(node, shapes), 0)
  return total / Math.max(1, batch)
}

function productFlops({ op, inputs, outputs, attributes }: OnnxNode, shapes: KnownShapes): number {
  const shapeOf = (name: string | undefined) => shapes.get(name ?? "")?.shape
  const [first, second, output] = [shapeOf(inputs[0]), shapeOf(inputs[1]), shapeOf(outputs[0])]
  if (first === undefined || second === undefined || output === undefined) return 0
  switch (op) {
    case "Conv":
      return 2 * sizeOf(output) * sizeOf(second.slice(1))
    case "ConvTranspose":
      return 2 * sizeOf(first) * sizeOf(second.slice(1))
    case "Gemm": {
      const isTransposed = attributes.get("transA")
      const isFirstLast = isTransposed?.kind === "int" && isTransposed.value !== 0
      return 2 * sizeOf(output) * ((isFirstLast ? first[0] : first[1]) ?? 1)
    }
    case "MatMul":
      return 2 * sizeOf(output) * (first.at(-1) ?? 1)
    default:
      return 0
  }
}
