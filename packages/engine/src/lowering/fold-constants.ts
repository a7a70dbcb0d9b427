import type { Value } from "../graph/graph.ts"
import type { OpType } from "../graph/ops.ts"
import { floatTensor, sizeOf, type Tensor } from "../graph/tensor.ts"

/** Larger results stay computed: folding is for numbers, not for weights. */
const largestFolded = 4096

/**
 * Ops that IEEE 754 defines to the last bit; in double precision and rounded once they give the same float32.
 * Movements are not among them: a shape may follow the batch, and an exported constant could not.
 */
const arithmetic: { readonly [K in OpType]?: (a: number, b: number) => number } = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Neg: (a) => -a,
  Sqrt: (a) => Math.sqrt(a),
}

/** The constant that a node on constants gives, exactly as ONNX Runtime would compute it; else the value itself. */
export function foldConstants(op: OpType, inputs: readonly Value[], y: Value): Value {
  const { graph } = y
  const size = sizeOf(y.shape)
  if (y.dtype !== "float32" || size > largestFolded || size === 0) return y
  const tensors = inputs.map((input) => graph.constants.get(input))
  if (!tensors.every((tensor): tensor is Extract<Tensor, { dtype: "float32" }> => tensor?.dtype === "float32")) return y
  const compute = arithmetic[op]
  if (compute === undefined || tensors.length === 0) return y
  const positions = tensors.map(({ shape }) => broadcastPositions(shape, y.shape))
  const data = Float32Array.from({ length: size }, (_, index) => {
    const [left, right] = tensors.map((tensor, at) => tensor.data[positions[at]?.(index) as number] as number)
    return compute(left as number, right as number)
  })
  return graph.constant(floatTensor(y.shape, data), "folded")
}

/** Where an element of a broadcast tensor stands in the tensor that was broadcast. */
function broadcastPositions(from: readonly number[], to: readonly number[]): (index: number) => number {
  const missing = to.length - from.length
  return (index) => {
    let [position, stride, rest] = [0, 1, index]
    for (let axis = to.length - 1; axis >= missing; axis--) {
      const [length, own] = [to[axis] as number, from[axis - missing] as number]
      if (own !== 1) position += (rest % length) * stride
      rest = Math.floor(rest / length)
      stride *= own
    }
    return position
  }
}
