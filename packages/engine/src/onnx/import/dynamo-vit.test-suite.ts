import type { WrittenModel } from "../../testing/onnx-writer.ts"
import { Drawing, decoded } from "./drawing.test-suite.ts"
import { type Fixture, permuted, type Rebuilt, type Renamed } from "./parity.test-suite.ts"

const [width, heads, tokens] = [24, 3, 17]

/**
 * The network of `vit-folded` as PyTorch's newer exporter and timm write it: axes as inputs, shapes put together from what
 * `Shape` says, weights [out, in] that are transposed in the file, and the newer ops where the opset has them.
 */
export function dynamoVit({ model }: Fixture, opset: number): Rebuilt & { readonly written: WrittenModel } {
  const drawing = new Drawing()
  const renamed = new Map<string, Renamed>()
  const node = drawing.node.bind(drawing)
  const stored = (from: string, name = from, perm?: readonly number[]): string => {
    const tensor = model.initializers.get(from)!.read()
    renamed.set(from, perm === undefined ? { name } : { name, perm })
    return drawing.store(name, perm === undefined ? tensor : permuted(tensor, perm))
  }
  const lengthOf = (x: string, axis: number) =>
    node("Unsqueeze", [node("Gather", [node("Shape", [x]), drawing.int(axis)], { axis: 0 }), drawing.ints(0)])
  const reshaped = (x: string, ...rest: readonly number[]) => {
    const lengths = rest.map((length) => drawing.ints(length))
    return node("Reshape", [x, node("Concat", [lengthOf(x, 0), ...lengths], { axis: 0 })])
  }
  const transposed = (x: string, perm: readonly number[]) => node("Transpose", [x], { perm })
  const linear = (x: string, layer: string, matrix: string) => {
    const weight = transposed(stored(matrix, `${layer}.weight`, [1, 0]), [1, 0])
    return node("Add", [node("MatMul", [x, weight]), stored(`${layer}.bias`)])
  }
  const normalized = (x: string, layer: string) => {
    const [scale, bias] = [stored(`${layer}.weight`), stored(`${layer}.bias`)]
    if (layer.endsWith("norm2")) return decomposedNorm(x, scale, bias)
    return node("LayerNormalization", [x, scale, bias], { axis: -1, epsilon: 1e-6 })
  }
  const decomposedNorm = (x: string, scale: string, bias: string) => {
    const mean = (value: string) => node("ReduceMean", [value, drawing.ints(-1)], { keepdims: 1 })
    const centred = node("Sub", [x, mean(x)])
    const variance = mean(node("Pow", [centred, drawing.scalar(2)]))
    const deviation = node("Sqrt", [node("Add", [variance, drawing.scalar(1e-6)])])
    return node("Add", [node("Mul", [node("Div", [centred, deviation]), scale]), bias])
  }
  const gelu = (x: string) => {
    if (opset >= 20) return node("Gelu", [x], { approximate: "none" })
    const bent = node("Add", [node("Erf", [node("Div", [x, drawing.scalar(Math.SQRT2)])]), drawing.scalar(1)])
    return node("Mul", [node("Mul", [x, bent]), drawing.scalar(0.5)])
  }
  const apart = (x: string) => transposed(reshaped(x, tokens, heads, width / heads), [0, 2, 1, 3])
  const attended = (x: string, block: number) => {
    const matrix = ["onnx::MatMul_226", "onnx::MatMul_232"][block] as string
    const joined = linear(x, `blocks.${block}.attn.qkv`, matrix) // [B, tokens, 3 width]
    const names = ["q", "k", "v"].map((part) => `split_${block}_${part}`)
    const scale = drawing.scalar((width / heads) ** -0.5)
    if (block === 0) {
      const parts = drawing.split("Split", [joined], { axis: 2, num_outputs: 3 }, names)
      const [q, k, v] = parts.map(apart) as [string, string, string]
      const scores = node("Mul", [node("Einsum", [q, k], { equation: "bhid,bhjd->bhij" }), scale])
      const weights = node("Softmax", [scores], { axis: -1 })
      return reshaped(node("Einsum", [weights, v], { equation: "b h i j , b h j d -> b i h d" }), -1, width)
    }
    const moved = transposed(reshaped(joined, tokens, 3, heads, width / heads), [2, 0, 3, 1, 4])
    const parts = drawing.split("Split", [moved], { axis: 0, num_outputs: 3 }, names)
    const [q, k, v] = parts.map((part) => node("Squeeze", [part, drawing.ints(0)])) as [string, string, string]
    const scores = node("MatMul", [node("Mul", [q, scale]), transposed(k, [0, 1, 3, 2])])
    const weights = node("Softmax", [scores], { axis: -1 })
    return reshaped(transposed(node("MatMul", [weights, v]), [0, 2, 1, 3]), tokens, width)
  }

  const patchWeights = [stored("patch_embed.weight"), stored("patch_embed.bias")]
  const patches = node("Conv", ["x", ...patchWeights], { strides: [4, 4], kernel_shape: [4, 4], auto_pad: "NOTSET" })
  const embedded = transposed(reshaped(patches, width, -1), [0, 2, 1]) // [B, 16, width]
  const expandedShape = node("Concat", [lengthOf("x", 0), drawing.ints(-1), drawing.ints(-1)], { axis: 0 })
  const isOpen = node("Equal", [expandedShape, drawing.ints(-1)])
  const ones = node("ConstantOfShape", [drawing.ints(3)], { value: { dtype: "int64", shape: [1], data: ones64 } })
  const token = node("Expand", [stored("cls_token"), node("Where", [isOpen, ones, expandedShape])])
  let x = node("Add", [node("Concat", [token, embedded], { axis: 1 }), stored("pos_embed")])
  for (const block of [0, 1]) {
    const of = (part: string) => `blocks.${block}.${part}`
    const matrices = [
      ["onnx::MatMul_229", "onnx::MatMul_230", "onnx::MatMul_231"],
      ["onnx::MatMul_235", "onnx::MatMul_236", "onnx::MatMul_237"],
    ][block] as [string, string, string]
    const attention = linear(attended(normalized(x, of("norm1")), block), of("attn.proj"), matrices[0])
    x = node("Add", [x, attention])
    const hidden = gelu(linear(normalized(x, of("norm2")), of("mlp.0"), matrices[1]))
    x = node("Add", [x, linear(hidden, of("mlp.2"), matrices[2])])
  }
  const first = node("Gather", [normalized(x, "norm"), drawing.int(0)], { axis: 1 })
  const logits = node("Gemm", [first, stored("head.weight"), stored("head.bias")], { transB: 1, alpha: { float: 1 } })
  const written = drawing.written({
    opset,
    inputs: [{ name: "x", shape: ["s77", 3, 16, 16] }],
    outputs: [{ name: logits, shape: ["s77", 10] }],
  })
  return {
    model: decoded(written),
    written,
    input: "x",
    output: logits,
    renamed,
  }
}

const ones64 = BigInt64Array.of(1n)
