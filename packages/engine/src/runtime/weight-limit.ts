import { encodeModel } from "../graph/codec.ts"
import { Graph, type Value } from "../graph/graph.ts"
import { filledTensor, floatTensor } from "../graph/tensor.ts"
import { createSession } from "./ort.ts"

const channels = 64
const kernel = 3
/** Two products of 255 by this still fit into 16 bits. */
const limitOfSixteenBits = 64

let probed: Promise<number> | undefined

/**
 * Largest magnitude of an int8 weight that this processor multiplies rightly by uint8: 127, or 64 on processors without
 * an instruction for such products, where ONNX Runtime adds two of them in 16 bits and cuts off what does not fit.
 * Asked once a process, by a convolution of the largest numbers.
 */
export function probeWeightLimit(): Promise<number> {
  probed ??= probe()
  return probed
}

async function probe(): Promise<number> {
  const graph = new Graph()
  const x = graph.input("x", "uint8", [1, channels, kernel, kernel])
  const sum = channels * kernel * kernel * 255 * 127
  const y = graph.add(
    "QLinearConv",
    [
      x,
      graph.constant(filledTensor("int8", [channels, channels, kernel, kernel], () => 127)),
      graph.constant(floatTensor([channels], new Float32Array(channels).fill(1))),
      graph.constant(filledTensor("int32", [channels], () => 0)),
    ],
    {
      ...{ strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: 1 },
      from: { scale: 1, zeroPoint: 0 },
      to: { scale: Math.fround(sum / 200), zeroPoint: 0 },
    },
  )[0] as Value
  const session = await createSession(encodeModel(graph, { y }), { threads: 1 })
  const { y: result } = await session.run({ x: filledTensor("uint8", x.shape, () => 255) })
  await session.release()
  return result?.data.every((value) => Number(value) === 200) ? 127 : limitOfSixteenBits
}
