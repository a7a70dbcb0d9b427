import type { AnyNode, Node, Value } from "../graph/graph.ts"
import type { ConvAttributes } from "../graph/ops.ts"
import type { Shape } from "../graph/tensor.ts"

/**
 * The three products of a convolution y = x * w, and `inference`: the forward product with a constant weight, which
 * ONNX Runtime (or a lowering) can bring into another form once, when it compiles.
 */
export const productKinds = ["forward", "input-gradient", "weight-gradient", "inference"] as const
export type ProductKind = (typeof productKinds)[number]

/** One convolution product with its sizes: what a lowering plan chooses for. */
export interface ConvProduct extends ConvAttributes {
  readonly kind: ProductKind
  /** [N, C, H, W] */
  readonly inputShape: Shape
  /** [O, C/group, KH, KW] */
  readonly weightShape: Shape
  /** [N, O, OH, OW] */
  readonly outputShape: Shape
}

/** The two tensors that a product multiplies: x and w, w and dy, or x and dy. In `inference`, w is a constant of its graph. */
export type Factors = readonly [Value, Value]

/** One way to compute a product out of ops that ONNX Runtime has. */
export interface Lowering {
  readonly name: string
  /** Size of a block that the processor's blocked layout must have; absent where any processor will do. */
  readonly channelBlock?: number
  fits(product: ConvProduct): boolean
  build(product: ConvProduct, factors: Factors): Value
}

/** The product that a node stands for; undefined for every other op. */
export function productOf(node: AnyNode): ConvProduct | undefined {
  const [a, b] = node.inputs
  const y = node.outputs[0]
  switch (node.op) {
    case "Conv":
      return describe(
        (b as Value).graph.constants.has(b as Value) ? "inference" : "forward",
        node,
        (a as Value).shape,
        (b as Value).shape,
        (y as Value).shape,
      )
    case "ConvInputGradient":
      return describe("input-gradient", node, node.attributes.inputShape, (a as Value).shape, (b as Value).shape)
    case "ConvWeightGradient":
      return describe("weight-gradient", node, (a as Value).shape, node.attributes.weightShape, (b as Value).shape)
    case "ConvTranspose":
      return transposedProduct(node)
    default:
      return undefined
  }
}

/**
 * A transposed convolution is the input gradient of its opposite. With a constant weight it is left to ONNX Runtime, and so
 * is output padding of whole strides, which no convolution has as its opposite.
 */
function transposedProduct(node: Node<"ConvTranspose">): ConvProduct | undefined {
  const [x, weight] = node.inputs as [Value, Value]
  const { outputPadding, strides } = node.attributes
  if (weight.graph.constants.has(weight)) return undefined
  if (outputPadding[0] >= strides[0] || outputPadding[1] >= strides[1]) return undefined
  return describe("input-gradient", node, (node.outputs[0] as Value).shape, weight.shape, x.shape)
}

/** The factors of a node's product in the order of its kind. */
export function factorsOf({ op }: AnyNode, inputs: readonly Value[]): Factors {
  const [a, b] = inputs as [Value, Value]
  return op === "ConvTranspose" ? [b, a] : [a, b]
}

function describe(
  kind: ProductKind,
  { attributes }: Node<"Conv"> | Node<"ConvInputGradient"> | Node<"ConvWeightGradient"> | Node<"ConvTranspose">,
  inputShape: Shape,
  weightShape: Shape,
  outputShape: Shape,
): ConvProduct {
  const { strides, pads, dilations, group } = attributes
  return { kind, strides, pads, dilations, group, inputShape, weightShape, outputShape }
}

/** Names a product in a plan, e.g. `weight-gradient 32x64x32x32 64x64x3x3 s1,1 p1,1,1,1 d1,1 g1`. */
export function productKey({ kind, inputShape, weightShape, strides, pads, dilations, group }: ConvProduct): string {
  return `${kind} ${inputShape.join("x")} ${weightShape.join("x")} s${strides} p${pads} d${dilations} g${group}`
}
