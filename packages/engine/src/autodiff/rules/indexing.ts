import { expand, gatherElements, gatherND, pad, reshape, scatterElements, scatterND } from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import type { OpType } from "../../graph/ops.ts"
import { floatTensor, type Shape, sizeOf } from "../../graph/tensor.ts"
import type { GradientRule } from "../rule.ts"

/** Zeros that are made when the graph runs, or folded by ONNX Runtime, and so are not written into the model. */
export function zeros({ graph }: Value, shape: Shape): Value {
  return expand(graph.constant(floatTensor([]), "zero"), shape)
}

/** Positions may repeat, so gradients are added where they came from. */
const gatherRule: GradientRule<"Gather"> = ({ node, outputGradient }) => {
  const [data, indices] = node.inputs as [Value, Value]
  const { axis } = node.attributes
  const dy = outputGradient()
  const length = data.shape[axis] as number
  const single = singlePosition(indices)
  if (single !== undefined) return [padAt(reshape(dy, withLength(data.shape, axis, 1)), axis, single, length), null]
  const [before, after] = [data.shape.slice(0, axis), data.shape.slice(axis + 1)]
  const count = sizeOf(indices.shape)
  const shape = [sizeOf(before), count, sizeOf(after)]
  const positions = expand(reshape(indices, [1, count, 1]), shape)
  const target = zeros(data, [sizeOf(before), length, sizeOf(after)])
  return [reshape(scatterElements(target, positions, reshape(dy, shape), 1, "add"), data.shape), null]
}

/** The position that a constant of one element names: what a class token or one of q, k and v is taken by. */
function singlePosition(indices: Value): number | undefined {
  const tensor = indices.graph.constants.get(indices)
  return tensor !== undefined && tensor.data.length === 1 ? Number(tensor.data[0]) : undefined
}

function withLength(shape: Shape, axis: number, length: number): Shape {
  return shape.map((known, index) => (index === axis ? length : known))
}

/** A part of length one with zeros around it along an axis. */
function padAt(part: Value, axis: number, position: number, length: number): Value {
  const rank = part.shape.length
  const at = position < 0 ? position + length : position
  const pads = Array.from({ length: 2 * rank }, () => 0)
  pads[axis] = at
  pads[axis + rank] = length - 1 - at
  return pad(part, pads)
}

const scatterElementsRule: GradientRule<"ScatterElements"> = ({ node, outputGradient }) => {
  const [data, indices, updates] = node.inputs as [Value, Value, Value]
  const { axis, reduction } = node.attributes
  const dy = outputGradient()
  const kept = reduction === "add" ? dy : scatterElements(dy, indices, zeros(data, updates.shape), axis, "none")
  return [kept, null, gatherElements(dy, indices, axis)]
}

export const indexingRules = {
  Gather: gatherRule,
  GatherElements: ({ node, outputGradient }) => {
    const [data, indices] = node.inputs as [Value, Value]
    return [scatterElements(zeros(data, data.shape), indices, outputGradient(), node.attributes.axis, "add"), null]
  },
  GatherND: ({ node, outputGradient }) => {
    const [data, indices] = node.inputs as [Value, Value]
    return [scatterND(zeros(data, data.shape), indices, outputGradient(), "add"), null]
  },
  ScatterElements: scatterElementsRule,
  ScatterND: ({ node, outputGradient }) => {
    const [data, indices, updates] = node.inputs as [Value, Value, Value]
    const dy = outputGradient()
    return [scatterND(dy, indices, zeros(data, updates.shape), "none"), null, gatherND(dy, indices)]
  },
  /** The chosen positions differ from one another, so putting is enough. */
  TopK: ({ node, outputGradient }) => {
    const x = node.inputs[0] as Value
    const indices = node.outputs[1] as Value
    return [scatterElements(zeros(x, x.shape), indices, outputGradient(), node.attributes.axis, "none")]
  },
  OneHot: "none",
  ArgMax: "none",
} as const satisfies { readonly [K in OpType]?: GradientRule<K> }
