import { floatTensor, type Tensor } from "../../graph/tensor.ts"
import type { WrittenModel } from "../../testing/onnx-writer.ts"
import { Drawing, decoded } from "./drawing.test-suite.ts"
import { type Fixture, permuted, type Rebuilt, type Renamed } from "./parity.test-suite.ts"

const toNhwc = [0, 2, 3, 1]
const toNchw = [0, 3, 1, 2]

/**
 * The network of `cnn-training` as tf2onnx writes it from Keras: images with their channels last and a pair of transposes
 * around each convolution, kernels [H, W, I, O], biases added after the transpose, and probabilities at the end.
 */
export function kerasNetwork({ model }: Fixture, opset: number): Rebuilt & { readonly written: WrittenModel } {
  const drawing = new Drawing()
  const renamed = new Map<string, Renamed>()
  const stored = (from: string, name: string, perm?: readonly number[], shape?: readonly number[]): string => {
    const tensor = model.initializers.get(from)!.read()
    const moved = perm === undefined ? tensor : permuted(tensor, perm)
    renamed.set(from, perm === undefined ? { name } : { name, perm })
    return drawing.store(name, { ...moved, shape: shape ?? moved.shape } as Tensor)
  }
  const transposed = (x: string, perm: readonly number[]) => drawing.node("Transpose", [x], { perm })
  const kernel = (layer: string, stage: string, perm: readonly number[], shape?: readonly number[]) =>
    stored(`${stage}.0.weight`, `model/${layer}/Conv2D/ReadVariableOp:0`, perm, shape)
  const normalized = (layer: string, stage: string, x: string) => {
    const of = (part: string, word: string) => stored(`${stage}.1.${part}`, `model/${layer}/${word}:0`)
    const statistics = [of("running_mean", "FusedBatchNormV3/ReadVariableOp"), of("running_var", "FusedBatchNormV3/1")]
    const inputs = [x, of("weight", "ReadVariableOp"), of("bias", "ReadVariableOp_1"), ...statistics]
    return drawing.node("BatchNormalization", inputs, { epsilon: 1e-5, momentum: 0.9 }, `model/${layer}/Fused:0`)
  }
  const added: string[] = []
  /** Keras keeps a bias before a normalisation, which takes it away again. */
  const biased = (layer: string, x: string, channels: number) => {
    const bias = drawing.store(`model/${layer}/BiasAdd/ReadVariableOp:0`, floatTensor([channels]))
    added.push(bias)
    return drawing.node("Add", [x, bias], {}, `model/${layer}/BiasAdd:0`)
  }
  const reduced = (x: string, axes: readonly number[]) =>
    opset < 18
      ? drawing.node("ReduceMean", [x], { axes, keepdims: 0 })
      : drawing.node("ReduceMean", [x, drawing.ints(...axes)], { keepdims: 0 })

  // The first convolution keeps [B, C, H, W] up to its activation; its kernel is turned round in the file.
  const first = drawing.node("Transpose", [kernel("conv2d", "stage1", [2, 3, 1, 0])], { perm: [3, 2, 0, 1] })
  const conv1 = drawing.node("Conv", [transposed("input_1", toNchw), first], {
    auto_pad: "SAME_UPPER",
    kernel_shape: [3, 3],
    strides: [1, 1],
  })
  const stage1 = transposed(drawing.node("Relu", [normalized("batch_normalization", "stage1", conv1)]), toNhwc)
  // The second is padded by a node of its own, and normalised between two transposes.
  const pads = drawing.ints(0, 1, 1, 0, 0, 1, 1, 0)
  const padded = drawing.node("Pad", [stage1, pads], { mode: "constant" }, "model/zero_padding2d/Pad:0")
  const second = kernel("conv2d_1", "stage2", [0, 1, 2, 3])
  const conv2 = drawing.node("Conv", [transposed(padded, toNchw), second], { auto_pad: "VALID", strides: [2, 2] })
  const shifted2 = biased("conv2d_1", transposed(conv2, toNhwc), 20)
  const norm2 = transposed(normalized("batch_normalization_1", "stage2", transposed(shifted2, toNchw)), toNhwc)
  const relu2 = drawing.node("Relu", [norm2], {}, "model/re_lu_1/Relu:0")
  const pooled = drawing.node("MaxPool", [transposed(relu2, toNchw)], {
    auto_pad: "VALID",
    kernel_shape: [2, 2],
    strides: [2, 2],
  })
  // The third has its kernel as a matrix.
  const matrix = kernel("conv2d_2", "stage3", [2, 3, 1, 0], [9 * 20, 32])
  const third = transposed(drawing.node("Reshape", [matrix, drawing.ints(3, 3, 20, 32)]), [3, 2, 0, 1])
  const conv3 = drawing.node("Conv", [transposed(transposed(pooled, toNhwc), toNchw), third], { pads: [1, 1, 1, 1] })
  const shifted3 = biased("conv2d_2", transposed(conv3, toNhwc), 32)
  const norm3 = transposed(normalized("batch_normalization_2", "stage3", transposed(shifted3, toNchw)), toNhwc)
  const mean = reduced(drawing.node("Relu", [norm3]), [1, 2])
  const dense = stored("classifier.weight", "model/dense/MatMul/ReadVariableOp:0", [1, 0])
  const product = drawing.node("MatMul", [mean, dense], {}, "model/dense/MatMul:0")
  const bias = stored("classifier.bias", "model/dense/BiasAdd/ReadVariableOp:0")
  const logits = drawing.node("Add", [product, bias], {}, "model/dense/BiasAdd:0")
  const axis = opset < 13 ? 1 : -1
  drawing.node("Softmax", [logits], { axis }, "dense")
  const written = drawing.written({
    opset,
    inputs: [{ name: "input_1", shape: ["unk__6", 16, 16, 3] }],
    outputs: [{ name: "dense", shape: ["unk__7", 10] }],
  })
  return {
    model: decoded(written),
    written,
    input: "input_1",
    output: logits,
    inputPerm: toNhwc,
    renamed,
    added,
  }
}
