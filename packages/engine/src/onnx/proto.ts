import onnxProto, { type onnx as types } from "onnx-proto"
import { LearnlossError } from "../errors.ts"
import type { OnnxDataType, OnnxModel } from "./model.ts"

const { onnx } = onnxProto

export type ModelProto = types.IModelProto
export type GraphProto = types.IGraphProto
export type NodeProto = types.INodeProto
export type TensorProto = types.ITensorProto
export type SparseTensorProto = types.ISparseTensorProto
export type AttributeProto = types.IAttributeProto
export type ValueInfoProto = types.IValueInfoProto

/** A whole number of 64 bits as protobuf hands it out: small ones are numbers, others come in two halves. */
export type Int64 = number | { readonly low: number; readonly high: number; readonly unsigned: boolean }

/** Numbers of element types in `TensorProto.DataType`. */
export const dataTypeNumbers = {
  other: 0,
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
} as const satisfies Record<OnnxDataType, number>

const dataTypesByNumber = new Map<number, OnnxDataType>(
  Object.entries(dataTypeNumbers).map(([name, number]) => [number, name as OnnxDataType]),
)

export function dataTypeOf(number: number | null | undefined): OnnxDataType {
  return dataTypesByNumber.get(number ?? 0) ?? "other"
}

/** Numbers of attribute kinds in `AttributeProto.AttributeType`. */
export const attributeTypes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const

/** `TensorProto.DataLocation` of data that stand in a file of their own. */
export const externalLocation = 1

/** Protobuf cannot hold more, and ONNX Runtime refuses more. */
export const maxModelBytes = 2 ** 31 - 1

/** Rounds what a double cannot hold. */
export function int64ToNumber(value: Int64 | null | undefined): number {
  if (value === null || value === undefined) return 0
  if (typeof value === "number") return value
  return (value.unsigned ? value.high >>> 0 : value.high) * 2 ** 32 + (value.low >>> 0)
}

export function int64ToBigInt(value: Int64): bigint {
  if (typeof value === "number") return BigInt(value)
  return (BigInt(value.unsigned ? value.high >>> 0 : value.high) << 32n) | BigInt(value.low >>> 0)
}

/**
 * Reads the bytes of a `ModelProto`; data of tensors stay views of these bytes.
 *
 * @throws LearnlossError `ONNX_BROKEN` for bytes of anything else
 */
export function decodeModelProto(bytes: Uint8Array, where: string): ModelProto {
  try {
    return onnx.ModelProto.decode(bytes)
  } catch (error) {
    throw new LearnlossError("ONNX_BROKEN", {
      where,
      expected: "an ONNX model",
      got: `${bytes.byteLength} bytes that are none (${error instanceof Error ? error.message : String(error)})`,
      fix: "Copy or export the file again; it is cut off, damaged or of another format.",
      cause: error,
    })
  }
}

/**
 * Writes a `ModelProto`.
 *
 * @throws LearnlossError `ONNX_TOO_LARGE` where it would hold more than 2 GB
 */
export function encodeModelProto(model: ModelProto, where: string): Uint8Array {
  const tensorBytes = (model.graph?.initializer ?? []).reduce((sum, { rawData }) => sum + (rawData?.byteLength ?? 0), 0)
  requireModelSize(tensorBytes, where)
  return onnx.ModelProto.encode(model).finish()
}

/** @throws LearnlossError `ONNX_TOO_LARGE` */
export function requireModelSize(bytes: number, where: string): void {
  if (bytes <= maxModelBytes) return
  throw new LearnlossError("ONNX_TOO_LARGE", {
    where,
    expected: "weights of at most 2 GB, which one ONNX model can hold",
    got: `${(bytes / 2 ** 30).toFixed(1)} GB`,
    fix: "Use a smaller network, or export it in float16.",
  })
}

/** Message makers for files that have to write protobuf; absent fields take their defaults. */
export const create = {
  node: (fields: NodeProto) => onnx.NodeProto.create(fields),
  tensor: (fields: TensorProto) => onnx.TensorProto.create(fields),
  attribute: (fields: AttributeProto) => onnx.AttributeProto.create(fields),
  valueInfo: (fields: ValueInfoProto) => onnx.ValueInfoProto.create(fields),
  graph: (fields: GraphProto) => onnx.GraphProto.create(fields),
  model: (fields: ModelProto) => onnx.ModelProto.create(fields),
} as const

/** What a model was decoded from: the message, its external data inlined, and its nodes in the model's order. */
export interface ModelSource {
  readonly proto: ModelProto
  readonly graph: GraphProto
  readonly nodes: readonly NodeProto[]
}

const sources = new WeakMap<OnnxModel, ModelSource>()

export function rememberSource(model: OnnxModel, source: ModelSource): void {
  sources.set(model, source)
}

/** The message that a model was decoded from; undefined for a model that was made in another way. */
export function sourceOf(model: OnnxModel): ModelSource | undefined {
  return sources.get(model)
}
