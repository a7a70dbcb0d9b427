import { floatTensor, type Shape, sizeOf } from "../../graph/tensor.ts"
import { createRng } from "../../random/rng.ts"
import type { WrittenModel } from "../../testing/onnx-writer.ts"
import { Drawing } from "./drawing.test-suite.ts"
import { dynamoVit } from "./dynamo-vit.test-suite.ts"
import { kerasNetwork } from "./keras-network.test-suite.ts"
import { readFixture } from "./parity.test-suite.ts"

/** Stores random weights under names that count up. */
function weights(drawing: Drawing) {
  const rng = createRng("fuzz weights")
  return (...shape: Shape) => {
    const numbers = Float32Array.from({ length: sizeOf(shape) }, () => 0.3 * rng.normal())
    return drawing.store(`weight.${Object.keys(drawing.initializers).length}`, floatTensor(shape, numbers))
  }
}

function normalized(drawing: Drawing, x: string, channels: number): string {
  const statistic = (word: string, number: number) => {
    const name = `${word}.${Object.keys(drawing.initializers).length}`
    return drawing.store(name, floatTensor([channels], new Float32Array(channels).fill(number)))
  }
  const inputs = [statistic("scale", 1.5), statistic("shift", 0.1), statistic("mean", 0.2), statistic("variance", 0.9)]
  return drawing.node("BatchNormalization", [x, ...inputs], { epsilon: 1e-5, momentum: 0.9 })
}

/** Convolutions with batch normalisation, grouped and dilated ones among them, dropout and a fixed batch of one. */
function cnn(): WrittenModel {
  const drawing = new Drawing()
  const [node, weight] = [drawing.node.bind(drawing), weights(drawing)]
  const input = node("Div", [node("Sub", ["image", drawing.scalar(0.5)]), drawing.scalar(0.25)])
  const first = node("Conv", [input, weight(4, 3, 3, 3)], { pads: [1, 1, 1, 1], strides: [2, 2] })
  const second = node("Conv", [node("Relu", [normalized(drawing, first, 4)]), weight(4, 1, 3, 3), weight(4)], {
    group: 4,
    dilations: [2, 2],
    pads: [2, 2, 2, 2],
  })
  const clipped = node("Clip", [normalized(drawing, second, 4), drawing.scalar(0), drawing.scalar(6)])
  const pooled = node("MaxPool", [clipped], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 })
  const mean = node("Flatten", [node("GlobalAveragePool", [pooled])])
  const rows = node("Reshape", [node("Dropout", [mean, drawing.scalar(0.2)]), drawing.ints(1, 4)])
  node("Gemm", [rows, weight(5, 4), weight(5)], { transB: 1 }, "out")
  const outputs = [{ name: "out", shape: [1, 5] }]
  return drawing.written({ opset: 14, inputs: [{ name: "image", shape: [1, 3, 16, 16] }], outputs })
}

/** Down by pooling, up by a transposed convolution and by resizing, joined with what came down; axes as attributes. */
function unet(): WrittenModel {
  const drawing = new Drawing()
  const [node, weight] = [drawing.node.bind(drawing), weights(drawing)]
  const conv = (x: string, inputs: number, outputs: number) =>
    node("LeakyRelu", [node("Conv", [x, weight(outputs, inputs, 3, 3), weight(outputs)], { auto_pad: "SAME_LOWER" })], {
      alpha: 0.1,
    })
  const halved = (x: string) => node("AveragePool", [x], { kernel_shape: [2, 2], strides: [2, 2] })
  const top = conv("image", 3, 4)
  const middle = conv(halved(top), 4, 4)
  const bottom = conv(halved(middle), 4, 6)
  const up = node("ConvTranspose", [bottom, weight(6, 4, 2, 2), weight(4)], { strides: [2, 2] })
  const joined = conv(node("Concat", [middle, up], { axis: 1 }), 8, 4)
  const sizes = node("Slice", [node("Shape", [top]), drawing.ints(2), drawing.ints(4), drawing.ints(0)])
  const batch = node("Slice", [node("Shape", [joined]), drawing.ints(0), drawing.ints(2), drawing.ints(0)])
  const target = node("Concat", [batch, sizes], { axis: 0 })
  const resized = node("Resize", [joined, "", "", target], {
    mode: "linear",
    coordinate_transformation_mode: "pytorch_half_pixel",
  })
  const padded = node("Pad", [resized, drawing.ints(0, 0, 1, 1, 0, 0, 1, 1)], { mode: "reflect" })
  const narrowed = node("Conv", [padded, weight(4, 4, 3, 3)], { auto_pad: "VALID" })
  const last = node("Conv", [node("Concat", [top, narrowed], { axis: 1 }), weight(5, 8, 1, 1)])
  node("ReduceMean", [last], { axes: [2, 3], keepdims: 0 }, "out")
  const outputs = [{ name: "out", shape: ["n", 5] }]
  return drawing.written({ opset: 11, inputs: [{ name: "image", shape: ["n", 3, 16, 16] }], outputs })
}

/** Whole models of every kind that exporters write, to be damaged. */
export function fuzzModels(): Readonly<Record<string, WrittenModel>> {
  return {
    "a convolutional network": cnn(),
    "a U-Net": unet(),
    "a network of Keras": kerasNetwork(readFixture("cnn-training"), 13).written,
    "a vision transformer at opset 18": dynamoVit(readFixture("vit-folded"), 18).written,
    "a vision transformer at opset 22": dynamoVit(readFixture("vit-folded"), 22).written,
  }
}
