import { InternalError } from "../errors.ts"
import type { Tensor } from "../graph/tensor.ts"
import type { OnnxDataType } from "../onnx/model.ts"
import {
  type AttributeProto,
  attributeTypes,
  create,
  dataTypeNumbers,
  encodeModelProto,
  externalLocation,
  type GraphProto,
  type TensorProto,
  type ValueInfoProto,
} from "../onnx/proto.ts"

/** A stored tensor with full say over how it is stored; `rawData` or one of the typed fields holds the data. */
export interface WrittenTensor {
  /** A number stands for an element type that learnloss has no name for. */
  readonly dataType: OnnxDataType | number
  readonly shape: readonly number[]
  readonly rawData?: Uint8Array
  readonly floatData?: readonly number[]
  readonly int32Data?: readonly number[]
  readonly int64Data?: readonly number[]
  readonly uint64Data?: readonly number[]
  readonly doubleData?: readonly number[]
  readonly stringData?: readonly string[]
  /** Data in a file of their own, next to the model: `location`, `offset`, `length`. */
  readonly external?: Readonly<Record<string, string | number>>
}

/** A plain whole number is an `int` and any other a `float`; lists follow their members. */
export type WrittenAttribute =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | Tensor
  | { readonly float: number }
  | { readonly int: number }
  | { readonly string: string }
  | { readonly floats: readonly number[] }
  | { readonly ints: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly tensor: Tensor | WrittenTensor }
  | { readonly graph: WrittenGraph }
  /** A plain attribute without its type, as early exporters wrote them. */
  | { readonly untyped: number | string | readonly number[] | Tensor }

export interface WrittenNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, WrittenAttribute>>
  readonly domain?: string
  readonly name?: string
}

/** An input or output; `dtype` is `float32` where it is left out, `null` stands for a dimension that nobody knows. */
export interface WrittenValue {
  readonly name: string
  readonly shape?: readonly (number | string | null)[]
  readonly dtype?: OnnxDataType
}

export interface WrittenGraph {
  readonly nodes: readonly WrittenNode[]
  readonly inputs: readonly WrittenValue[]
  /** Names stand for outputs of a type that the file does not tell; ONNX Runtime finds it out. */
  readonly outputs: readonly (string | WrittenValue)[]
  readonly initializers?: Readonly<Record<string, Tensor | WrittenTensor>>
}

export interface WrittenModel extends WrittenGraph {
  readonly opset: number
  /** Versions of further operator sets by domain. */
  readonly opsets?: Readonly<Record<string, number>>
  readonly producer?: string
  readonly producerVersion?: string
  readonly irVersion?: number
  readonly metadata?: Readonly<Record<string, string>>
}

/** Writes a small ONNX model for a test, right or wrong: nothing is checked. */
export function writeOnnxModel(model: WrittenModel): Uint8Array {
  const { opset, opsets = {}, producer = "test", producerVersion = "", irVersion = 8, metadata = {} } = model
  const proto = create.model({
    irVersion,
    producerName: producer,
    producerVersion,
    opsetImport: [
      { domain: "", version: opset },
      ...Object.entries(opsets).map(([domain, version]) => ({ domain, version })),
    ],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: graphOf(model, "graph"),
  })
  return encodeModelProto(proto, "test")
}

function graphOf({ nodes, inputs, outputs, initializers = {} }: WrittenGraph, name: string): GraphProto {
  return create.graph({
    name,
    node: nodes.map(({ op, inputs: input, outputs: output, attributes = {}, domain = "", name: nodeName = "" }) =>
      create.node({
        opType: op,
        domain,
        name: nodeName,
        input: [...input],
        output: [...output],
        attribute: Object.entries(attributes).map(([key, value]) => attributeOf(key, value)),
      }),
    ),
    input: inputs.map(valueInfoOf),
    output: outputs.map((output) => valueInfoOf(typeof output === "string" ? { name: output } : output)),
    initializer: Object.entries(initializers).map(([key, tensor]) => tensorOf(key, tensor)),
  })
}

function valueInfoOf({ name, shape, dtype }: WrittenValue): ValueInfoProto {
  if (shape === undefined && dtype === undefined) return create.valueInfo({ name })
  const dim = shape?.map((length) =>
    length === null ? {} : typeof length === "number" ? { dimValue: length } : { dimParam: length },
  )
  const elemType = dataTypeNumbers[dtype ?? "float32"]
  return create.valueInfo({
    name,
    type: { tensorType: dim === undefined ? { elemType } : { elemType, shape: { dim } } },
  })
}

function tensorOf(name: string, tensor: Tensor | WrittenTensor): TensorProto {
  if ("dtype" in tensor) {
    const { dtype, shape, data } = tensor
    return create.tensor({
      name,
      dataType: dataTypeNumbers[dtype],
      dims: [...shape],
      rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    })
  }
  const { dataType, shape, rawData, stringData, external } = tensor
  return create.tensor({
    name,
    dataType: typeof dataType === "number" ? dataType : dataTypeNumbers[dataType],
    dims: [...shape],
    ...(rawData === undefined ? {} : { rawData }),
    floatData: [...(tensor.floatData ?? [])],
    int32Data: [...(tensor.int32Data ?? [])],
    int64Data: [...(tensor.int64Data ?? [])],
    uint64Data: [...(tensor.uint64Data ?? [])],
    doubleData: [...(tensor.doubleData ?? [])],
    stringData: (stringData ?? []).map((text) => Buffer.from(text)),
    ...(external === undefined
      ? {}
      : {
          dataLocation: externalLocation,
          externalData: Object.entries(external).map(([key, value]) => ({ key, value: String(value) })),
        }),
  })
}

function attributeOf(name: string, value: WrittenAttribute): AttributeProto {
  if (typeof value === "number") return attributeOf(name, Number.isInteger(value) ? { int: value } : { float: value })
  if (typeof value === "string") return attributeOf(name, { string: value })
  if (Array.isArray(value)) {
    if (typeof value[0] === "string") return attributeOf(name, { strings: value as readonly string[] })
    return attributeOf(name, value.every(Number.isInteger) ? { ints: value } : { floats: value })
  }
  const record = value as Exclude<WrittenAttribute, number | string | readonly number[] | readonly string[]>
  if ("dtype" in record) return attributeOf(name, { tensor: record })
  if ("untyped" in record) return create.attribute({ ...attributeOf(name, record.untyped), type: 0 })
  if ("float" in record) return create.attribute({ name, type: attributeTypes.float, f: record.float })
  if ("int" in record) return create.attribute({ name, type: attributeTypes.int, i: record.int })
  if ("string" in record) {
    return create.attribute({ name, type: attributeTypes.string, s: Buffer.from(record.string) })
  }
  if ("floats" in record) return create.attribute({ name, type: attributeTypes.floats, floats: [...record.floats] })
  if ("ints" in record) return create.attribute({ name, type: attributeTypes.ints, ints: [...record.ints] })
  if ("strings" in record) {
    const strings = record.strings.map((text) => Buffer.from(text))
    return create.attribute({ name, type: attributeTypes.strings, strings })
  }
  if ("tensor" in record) {
    return create.attribute({ name, type: attributeTypes.tensor, t: tensorOf("", record.tensor) })
  }
  if ("graph" in record) {
    return create.attribute({ name, type: attributeTypes.graph, g: graphOf(record.graph, `${name} graph`) })
  }
  throw new InternalError(`attribute ${name} is of no kind that the writer knows`)
}
