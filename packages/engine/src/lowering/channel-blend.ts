import { add, expand, mul, reshape } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"
import { sizeOf } from "../graph/tensor.ts"
import type { Device } from "./device.ts"

/** Positions of a channel from which a convolution is the fastest way, and below which coefficients are written out. */
const [manyPositions, fewPositions] = [512, 128]

/**
 * The ops of u a + v b + c for [N, C, ...] u and v, and [C] a, b, c.
 *
 * On a processor, large planes are convolved, one 1x1 kernel a channel: ONNX Runtime multiplies by b and adds c and the
 * other tensor in one pass, where three ops read and write everything each. A number is multiplied into a short run of
 * positions slowly, so for small planes the coefficients are repeated for each position of a sample.
 */
export function channelBlend(inputs: readonly Value[], device: Device): Value {
  const [u, a, v, b, c] = inputs as [Value, Value, Value, Value, Value]
  const [channels, ...plane] = u.shape.slice(1) as [number, ...number[]]
  const positions = sizeOf(plane)
  const perChannel = (value: Value) => reshape(value, [1, channels, ...plane.map(() => 1)])
  if (device === "cpu" && plane.length === 2 && positions >= manyPositions) {
    const addend = mul(u, perChannel(a))
    const attributes = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: channels } as const
    return u.graph.add("FusedConv", [v, reshape(b, [channels, 1, 1, 1]), c, addend], attributes)[0] as Value
  }
  const isRepeated = device === "cpu" && positions < fewPositions
  const coefficient = (value: Value) =>
    isRepeated ? expand(perChannel(value), [1, channels, ...plane]) : perChannel(value)
  return add(add(mul(u, coefficient(a)), mul(v, coefficient(b))), coefficient(c))
}
