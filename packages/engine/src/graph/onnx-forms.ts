import { InternalError } from "../errors.ts"
import type { OnnxAttribute } from "./onnx-attribute.ts"
import type { OpAttributes, OpType, PoolAttributes, ProductAttributes, Quantization } from "./ops.ts"
import { type DataType, filledTensor, floatTensor, intTensor, type Tensor } from "./tensor.ts"

/** How one of our nodes is written in ONNX: attributes, and constants that follow its inputs. */
export interface OnnxForm {
  readonly opType?: string
  readonly domain?: string
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>
  readonly constants?: readonly Tensor[]
  /** How many outputs ONNX wants named even if nothing reads them; all where it is left out. */
  readonly requiredOutputs?: number
  /** Where inputs and outputs stand in the lists of a node that leaves some out between them. */
  readonly places?: { readonly inputs: readonly number[]; readonly outputs: readonly number[] }
  /** Version of its domain that the node needs, where that is not the one that graphs are written in. */
  readonly version?: number
}

/** The operator set that graphs are written in, unless a node of a file needs a later one. */
export const opset = 17

/** ONNX's codes for element types (TensorProto.DataType). */
export const onnxDataTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
} as const satisfies Record<DataType, number>

/** The domain of ops that ONNX Runtime adds to ONNX's own. */
const microsoftDomain = "com.microsoft"

/** The domain of ONNX Runtime's internal blocked-layout ops. */
export const nchwcDomain = "com.microsoft.nchwc"

const int = (value: number | boolean): OnnxAttribute => ({ kind: "int", value: Number(value) })
const ints = (value: readonly number[]): OnnxAttribute => ({ kind: "ints", value })
const float = (value: number): OnnxAttribute => ({ kind: "float", value })
const string = (value: string): OnnxAttribute => ({ kind: "string", value })
const scalar = (value: number): Tensor => floatTensor([], Float32Array.of(value))
const vector = (values: readonly number[]): Tensor => intTensor([values.length], values)

/** Scale and zero point, as constants that follow one another. */
const written = ({ scale, zeroPoint }: Quantization): Tensor[] => [
  scalar(scale),
  filledTensor("uint8", [], () => zeroPoint),
]

type FormOf<K extends OpType> = OnnxForm | ((attributes: OpAttributes[K], opset: number) => OnnxForm)

const plain: OnnxForm = {}

function conv({ strides, pads, dilations, group }: OpAttributes["Conv"]): OnnxForm {
  return { attributes: { strides: ints(strides), pads: ints(pads), dilations: ints(dilations), group: int(group) } }
}

function product({ alpha, transA, transB }: ProductAttributes): OnnxForm {
  return { attributes: { alpha: float(alpha), transA: int(transA), transB: int(transB) } }
}

function pool({ kernel, strides, pads, ceil }: PoolAttributes): Readonly<Record<string, OnnxAttribute>> {
  return { kernel_shape: ints(kernel), strides: ints(strides), pads: ints(pads), ceil_mode: int(ceil) }
}

const reduceByInput = ({ axes, keepdims }: OpAttributes["ReduceMean"]): OnnxForm => ({
  attributes: { keepdims: int(keepdims) },
  constants: [vector(axes)],
})

/** ReduceMean and ReduceMax take their axes as an attribute until opset 18, ReduceSum as an input since 13. */
const reduce = (attributes: OpAttributes["ReduceMean"], version: number): OnnxForm =>
  version >= 18
    ? reduceByInput(attributes)
    : { attributes: { axes: ints(attributes.axes), keepdims: int(attributes.keepdims) } }

function foreign({ op, domain, version, attributes, inputs, outputs }: OpAttributes["Foreign"]): OnnxForm {
  const places = { inputs, outputs: outputs.map(({ position }) => position) }
  return { opType: op, domain, version, attributes, places }
}

const lowered = (op: OpType) => (): OnnxForm => {
  throw new InternalError(`${op} must be lowered before a graph is encoded`)
}

/**
 * `BatchNormalization` in training mode returns running statistics of `momentum * old + (1 - momentum) * batch`;
 * a momentum next to zero makes them the statistics of the batch itself (zero would be read as the default 0.9).
 */
const batchStatisticsMomentum = 1e-30

export const onnxForms: { readonly [K in OpType]: FormOf<K> } = {
  Add: plain,
  Sub: plain,
  Mul: plain,
  Div: plain,
  Pow: plain,
  Max: plain,
  Min: plain,
  Neg: plain,
  Abs: plain,
  Sign: plain,
  Exp: plain,
  Log: plain,
  Sqrt: plain,
  Reciprocal: plain,
  Sin: plain,
  Cos: plain,
  Sigmoid: plain,
  Tanh: plain,
  Erf: plain,
  Softplus: plain,
  Floor: plain,
  Ceil: plain,
  Round: plain,
  Relu: plain,
  Gelu: { domain: microsoftDomain },
  LeakyRelu: ({ alpha }) => ({ attributes: { alpha: float(alpha) } }),
  Elu: ({ alpha }) => ({ attributes: { alpha: float(alpha) } }),
  Clip: ({ low, high }) => ({ constants: [scalar(low), scalar(high)] }),
  HardSigmoid: ({ alpha, beta }) => ({ attributes: { alpha: float(alpha), beta: float(beta) } }),
  Identity: plain,
  Greater: plain,
  GreaterOrEqual: plain,
  Less: plain,
  Equal: plain,
  Not: plain,
  And: plain,
  Or: plain,
  Xor: plain,
  Where: plain,
  Cast: ({ to }) => ({ attributes: { to: int(onnxDataTypes[to]) } }),
  ReduceSum: reduceByInput,
  ReduceMean: reduce,
  ReduceMax: reduce,
  ArgMax: ({ axis, keepdims }) => ({ attributes: { axis: int(axis), keepdims: int(keepdims) } }),
  MatMul: plain,
  Gemm: product,
  FusedMatMul: (attributes) => ({ ...product(attributes), domain: microsoftDomain }),
  Conv: conv,
  ConvTranspose: ({ outputPadding, ...shared }) => ({
    attributes: { ...conv(shared).attributes, output_padding: ints(outputPadding) },
  }),
  // A zero would mean "as in the input".
  Reshape: ({ shape }) => ({
    constants: [vector(shape)],
    ...(shape.includes(0) ? { attributes: { allowzero: int(1) } } : {}),
  }),
  Transpose: ({ perm }) => ({ attributes: { perm: ints(perm) } }),
  Expand: ({ shape }) => ({ constants: [vector(shape)] }),
  Concat: ({ axis }) => ({ attributes: { axis: int(axis) } }),
  Split: ({ axis, split }) => ({ attributes: { axis: int(axis) }, constants: [vector(split)] }),
  Slice: ({ starts, ends, axes, steps }) => ({
    constants: [vector(starts), vector(ends), vector(axes), vector(steps)],
  }),
  Pad: ({ pads }) => ({ constants: [vector(pads)] }),
  // The modes with which ONNX Runtime stays in its blocked layout; the input left out is a region that other modes read.
  Resize: ({ times }) => ({
    attributes: {
      mode: string("nearest"),
      coordinate_transformation_mode: string("asymmetric"),
      nearest_mode: string("floor"),
    },
    constants: [floatTensor([4], Float32Array.of(1, 1, ...times))],
    places: { inputs: [0, 2], outputs: [0] },
  }),
  Gather: ({ axis }) => ({ attributes: { axis: int(axis) } }),
  GatherElements: ({ axis }) => ({ attributes: { axis: int(axis) } }),
  GatherND: plain,
  ScatterElements: ({ axis, reduction }) => ({ attributes: { axis: int(axis), reduction: string(reduction) } }),
  ScatterND: plain,
  BatchNormalization: ({ epsilon, training }) => ({
    attributes: {
      epsilon: float(epsilon),
      ...(training ? { training_mode: int(1), momentum: float(batchStatisticsMomentum) } : {}),
    },
  }),
  LayerNormalization: ({ axis, epsilon }) => ({
    attributes: { axis: int(axis), epsilon: float(epsilon) },
    requiredOutputs: 1,
  }),
  MaxPool: ({ dilations, ...shared }) => ({
    attributes: { ...pool(shared), dilations: ints(dilations) },
    requiredOutputs: 1,
  }),
  AveragePool: ({ countIncludePad, ...shared }) => ({
    attributes: { ...pool(shared), count_include_pad: int(countIncludePad) },
  }),
  GlobalAveragePool: plain,
  Softmax: ({ axis }) => ({ attributes: { axis: int(axis) } }),
  LogSoftmax: ({ axis }) => ({ attributes: { axis: int(axis) } }),
  OneHot: ({ depth }) => ({
    attributes: { axis: int(-1) },
    constants: [intTensor([], [depth]), floatTensor([2], Float32Array.of(0, 1))],
  }),
  TopK: ({ k, axis, largest }) => ({
    attributes: { axis: int(axis), largest: int(largest), sorted: int(1) },
    constants: [vector([k])],
  }),
  QuantizeLinear: (quantization) => ({ constants: written(quantization) }),
  DequantizeLinear: (quantization) => ({ constants: written(quantization) }),
  QLinearConv: ({ from, to, ...shared }) => ({
    ...conv(shared),
    constants: [...written(from), filledTensor("int8", [], () => 0), ...written(to)],
    places: { inputs: [0, 3, 4, 8, 1, 2, 5, 6, 7], outputs: [0] },
  }),
  QLinearAdd: ({ from: [a, b], to }) => ({
    domain: microsoftDomain,
    constants: [...written(a), ...written(b), ...written(to)],
    places: { inputs: [0, 3, 1, 2, 4, 5, 6, 7], outputs: [0] },
  }),
  MatMulIntegerToFloat: ({ from }) => ({
    domain: microsoftDomain,
    constants: written(from),
    places: { inputs: [0, 1, 3, 2, 4], outputs: [0] },
  }),
  Foreign: foreign,
  NchwcReorderInput: { opType: "ReorderInput", domain: nchwcDomain },
  NchwcReorderOutput: ({ channels }) => ({
    opType: "ReorderOutput",
    domain: nchwcDomain,
    attributes: { channels: int(channels), channels_last: int(0) },
  }),
  NchwcConv: ({ channels: _, ...shared }) => ({ ...conv(shared), opType: "Conv", domain: nchwcDomain }),
  FusedConv: (attributes) => ({ ...conv(attributes), domain: microsoftDomain }),
  StopGradient: lowered("StopGradient"),
  ScaleGradient: lowered("ScaleGradient"),
  ConvInputGradient: lowered("ConvInputGradient"),
  ConvWeightGradient: lowered("ConvWeightGradient"),
  ChannelBlend: lowered("ChannelBlend"),
}
