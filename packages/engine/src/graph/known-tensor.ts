import type { Value } from "./graph.ts"
import type { OpType } from "./ops.ts"
import type { Tensor } from "./tensor.ts"

/** Ops that leave numbers and their order as they are. */
const transparent: ReadonlySet<OpType> = new Set(["Identity", "Reshape", "StopGradient", "ScaleGradient"])

/** The numbers of a value that depends on nothing that is fed: a constant, perhaps reshaped; undefined for others. */
export function knownTensor(value: Value): Tensor | undefined {
  const { graph } = value
  let source = value
  for (let node = graph.producerOf(source); node !== undefined; node = graph.producerOf(source)) {
    if (!transparent.has(node.op)) return undefined
    source = node.inputs[0] as Value
  }
  const tensor = graph.constants.get(source)
  return tensor === undefined ? undefined : { ...tensor, shape: value.shape }
}

/**
 * The numbers that a value holds for each channel (axis 1) of [N, C, ...] when it is broadcast against it; undefined
 * where they are not known, or differ between samples or positions.
 *
 * @param shape [N, C, ...]
 */
export function knownChannels(value: Value, shape: readonly number[]): Float32Array | undefined {
  const tensor = knownTensor(value)
  if (tensor === undefined || tensor.dtype !== "float32" || tensor.shape.length > shape.length) return undefined
  const channels = shape[1] as number
  if (tensor.data.length === 1) return new Float32Array(channels).fill(tensor.data[0] as number)
  const axis = tensor.shape.length - shape.length + 1
  return tensor.data.length === channels && tensor.shape[axis] === channels ? tensor.data : undefined
}
