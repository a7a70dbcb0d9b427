import { expect, test } from "vitest"
import { listReadableOps } from "./readable-ops.ts"

/** What exporters write for networks, and what users are promised. */
const promised = `Conv ConvTranspose Gemm MatMul BatchNormalization InstanceNormalization LayerNormalization
  GroupNormalization MaxPool AveragePool GlobalAveragePool GlobalMaxPool Relu LeakyRelu PRelu Elu Selu Celu Gelu Sigmoid
  HardSigmoid HardSwish Mish Softplus Softsign Tanh Clip Softmax LogSoftmax Exp Log Sqrt Pow Abs Neg Reciprocal Erf Sin
  Cos Add Sub Mul Div Min Max Sum Mean Where ReduceSum ReduceMean ReduceMax ReduceMin ReduceL1 ReduceL2 ReduceLogSumExp
  ReduceSumSquare Reshape Flatten Transpose Squeeze Unsqueeze Concat Split Slice Pad Expand Tile Gather GatherElements
  GatherND ScatterElements ScatterND Resize DepthToSpace SpaceToDepth TopK Einsum Cast Identity Dropout`
  .trim()
  .split(/\s+/)

test("every op that exporters write for networks passes gradients, and shapes are worked out", () => {
  const ops = new Map(listReadableOps().map(({ op, gradient }) => [op, gradient]))
  expect(promised.filter((op) => ops.get(op) !== true)).toEqual([])
  expect(["Constant", "Shape"].map((op) => ops.get(op))).toEqual([false, false])
})

test("an op that came later is read from its first version on", () => {
  const opsets = new Map(listReadableOps().map(({ op, opsets: versions }) => [op, versions]))
  expect([opsets.get("Conv"), opsets.get("HardSwish"), opsets.get("Gelu")]).toEqual(["11-22", "14-22", "20-22"])
})
