import { describe, expect, it } from "vitest"
import { floatTensor, intTensor } from "../graph/tensor.ts"
import { createSession } from "../runtime/ort.ts"
import { type WrittenNode, writeOnnxModel } from "../testing/onnx-writer.ts"
import { cutModel } from "./cut.ts"
import { decodeOnnxModel } from "./read-model.ts"

const scale = floatTensor([4], Float32Array.of(1, 2, 3, 4))

function decode(node: WrittenNode) {
  const bytes = writeOnnxModel({
    opset: 18,
    inputs: [{ name: "x", shape: ["n", 4] }],
    initializers: { scale, positions: intTensor([1, 1], [0]) },
    nodes: [node],
    outputs: ["y"],
  })
  return decodeOnnxModel(bytes, "net.onnx")
}

describe("nodes that ONNX Runtime dies of", () => {
  it("lose left-out inputs at their end, which mean the same", async () => {
    const model = decode({ op: "LayerNormalization", inputs: ["x", "scale", ""], outputs: ["y"] })
    const session = await createSession(cutModel(model, { outputs: [{ name: "y" }] }), { threads: 1 })
    const { y } = await session.run({ x: floatTensor([1, 4], Float32Array.of(-1, 1, -1, 1)) })
    await session.release()
    expect(Array.from(y!.data as Float32Array, Math.round)).toEqual([-1, 2, -3, 4])
  })

  it.each<[string, WrittenNode, RegExp]>([
    [
      "GatherND",
      { op: "GatherND", inputs: ["x", "positions"], outputs: ["y"], attributes: { batch_dims: -3 } },
      /batch_dims/,
    ],
    [
      "Split",
      { op: "Split", inputs: ["x"], outputs: ["y", "z"], attributes: { axis: 1, num_outputs: 4 } },
      /num_outputs 2/,
    ],
  ])("are refused: %s", (_, node, reason) => {
    expect(() => decode(node)).toThrow(reason)
  })
})
