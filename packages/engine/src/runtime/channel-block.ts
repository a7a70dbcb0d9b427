import { encodeModel } from "../graph/codec.ts"
import { Graph, type Value } from "../graph/graph.ts"
import { floatTensor } from "../graph/tensor.ts"
import { createSession } from "./ort.ts"

let probed: Promise<number | undefined> | undefined

/**
 * Channels of a block of the blocked layout on this processor, as ONNX Runtime uses it; undefined where it has none.
 * The layout belongs to an internal domain, so it is asked once a process and never assumed.
 */
export function probeChannelBlock(): Promise<number | undefined> {
  probed ??= probe()
  return probed
}

async function probe(): Promise<number | undefined> {
  const graph = new Graph()
  const x = graph.input("x", "float32", [1, 4, 1, 1])
  const blocked = graph.add("NchwcReorderInput", [x], {})[0] as Value
  try {
    // Four channels, the fewest that it takes, are padded to a whole block.
    const session = await createSession(encodeModel(graph, { blocked }), { threads: 1, optimize: false })
    const { blocked: result } = await session.run({ x: floatTensor([1, 4, 1, 1]) })
    await session.release()
    return result?.shape[1]
  } catch {
    return undefined
  }
}
