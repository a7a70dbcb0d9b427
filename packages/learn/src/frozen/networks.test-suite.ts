import { createRng, decodeOnnxModel, floatTensor, type OnnxModel, type Tensor } from "@learnloss/engine"
import { type WrittenModel, writeOnnxModel } from "@learnloss/engine/testing"

/** Numbers that are the same in every test. */
export function numbers(name: string, shape: readonly number[]): Tensor {
  const rng = createRng(name)
  const size = shape.reduce((product, length) => product * length, 1)
  return floatTensor(
    shape,
    Float32Array.from({ length: size }, () => rng.normal()),
  )
}

const channels = 8
const classes = 4

/** Two convolutions and a linear layer: [B, 3, 8, 8] to four logits; taps `map` [B, 8, 8, 8] and `deep` [B, 8, 4, 4]. */
export const smallNetwork: WrittenModel = {
  opset: 13,
  inputs: [{ name: "image", shape: ["N", 3, 8, 8] }],
  initializers: {
    first: numbers("first", [channels, 3, 3, 3]),
    second: numbers("second", [channels, channels, 3, 3]),
    head: numbers("head", [channels, classes]),
  },
  nodes: [
    { op: "Conv", inputs: ["image", "first"], outputs: ["c1"], attributes: { pads: [1, 1, 1, 1] } },
    { op: "Relu", inputs: ["c1"], outputs: ["map"] },
    { op: "Conv", inputs: ["map", "second"], outputs: ["c2"], attributes: { pads: [1, 1, 1, 1], strides: [2, 2] } },
    { op: "Relu", inputs: ["c2"], outputs: ["deep"] },
    { op: "GlobalAveragePool", inputs: ["deep"], outputs: ["pooled"] },
    { op: "Flatten", inputs: ["pooled"], outputs: ["embedding"] },
    { op: "MatMul", inputs: ["embedding", "head"], outputs: ["logits"] },
  ],
  outputs: [{ name: "logits", shape: ["N", classes] }],
}

/** The same network as TensorFlow's exporters write it: [B, 8, 8, 3], turned before the first convolution. */
export const channelsLastNetwork: WrittenModel = {
  ...smallNetwork,
  inputs: [{ name: "image", shape: ["N", 8, 8, 3] }],
  nodes: [
    { op: "Transpose", inputs: ["image"], outputs: ["turned"], attributes: { perm: [0, 3, 1, 2] } },
    ...smallNetwork.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((name) => (name === "image" ? "turned" : name)),
    })),
  ],
}

/** The same network on bytes, which it scales itself. */
export const bytesNetwork: WrittenModel = {
  ...smallNetwork,
  inputs: [{ name: "image", shape: ["N", 3, 8, 8], dtype: "uint8" }],
  initializers: { ...smallNetwork.initializers, scale: floatTensor([], Float32Array.of(255)) },
  nodes: [
    { op: "Cast", inputs: ["image"], outputs: ["floats"], attributes: { to: 1 } },
    { op: "Div", inputs: ["floats", "scale"], outputs: ["scaled"] },
    ...smallNetwork.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((name) => (name === "image" ? "scaled" : name)),
    })),
  ],
}

/** The small network for batches of two only: a reshape has the number inside. */
export const fixedBatchNetwork: WrittenModel = {
  ...smallNetwork,
  inputs: [{ name: "image", shape: [2, 3, 8, 8] }],
  initializers: { ...smallNetwork.initializers, flat: intShape([2, channels]) },
  nodes: smallNetwork.nodes.map((node) =>
    node.op === "Flatten" ? { op: "Reshape", inputs: ["pooled", "flat"], outputs: ["embedding"] } : node,
  ),
  outputs: [{ name: "logits", shape: [2, classes] }],
}

function intShape(values: readonly number[]): Tensor {
  return { dtype: "int64", shape: [values.length], data: BigInt64Array.from(values, BigInt) }
}

export function decoded(network: WrittenModel): OnnxModel {
  return decodeOnnxModel(writeOnnxModel(network), "test.onnx")
}
