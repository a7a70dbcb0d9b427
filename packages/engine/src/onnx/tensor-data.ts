import { LearnlossError } from "../errors.ts"
import { type Shape, sizeOf, type Tensor } from "../graph/tensor.ts"
import type { OnnxDataType, OnnxTensor } from "./model.ts"
import {
  dataTypeOf,
  type Int64,
  int64ToBigInt,
  int64ToNumber,
  type SparseTensorProto,
  type TensorProto,
} from "./proto.ts"

/** Bytes of one element in `raw_data`; strings and types that ONNX got later have none here. */
export const elementBytes: Readonly<Partial<Record<OnnxDataType, number>>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint64: 8,
  uint32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
  complex64: 8,
  complex128: 16,
}

/**
 * Checks a stored tensor's shape and the length of its data, and wraps it. Nothing of the size that the shape claims is
 * allocated before the data were found to be there.
 *
 * @throws LearnlossError `ONNX_TENSOR`
 */
export function wrapTensor(proto: TensorProto, where: string): OnnxTensor {
  const dataType = dataTypeOf(proto.dataType)
  const shape = shapeOf(proto.dims ?? [], where)
  requireData(proto, dataType, shape, where)
  return { dataType, shape, read: () => readTensor(proto, dataType, shape, where) }
}

/** A sparse tensor has a place in its graph but no numbers that the engine reads. */
export function wrapSparseTensor(proto: SparseTensorProto, where: string): OnnxTensor {
  return {
    dataType: dataTypeOf(proto.values?.dataType),
    shape: shapeOf(proto.dims ?? [], where),
    read: () => refuse(where, "a dense tensor", "a sparse one", "Export the network without sparse tensors."),
  }
}

/** Bytes that the data of a tensor must have; undefined where its type has no fixed size. */
export function dataBytes(proto: TensorProto, where: string): number | undefined {
  const bytes = elementBytes[dataTypeOf(proto.dataType)]
  return bytes === undefined ? undefined : bytes * sizeOf(shapeOf(proto.dims ?? [], where))
}

function refuse(
  where: string,
  expected: string,
  got: string,
  fix = "Copy or export the file again; it is damaged.",
): never {
  throw new LearnlossError("ONNX_TENSOR", { where, expected, got, fix })
}

function shapeOf(dims: readonly Int64[], where: string): Shape {
  const shape = dims.map(int64ToNumber)
  const isWhole = shape.every((length) => Number.isSafeInteger(length) && length >= 0)
  if (!isWhole || !Number.isSafeInteger(sizeOf(shape)))
    return refuse(where, "lengths of axes that a tensor can have", `[${shape.join(", ")}]`)
  return shape
}

function requireData(proto: TensorProto, dataType: OnnxDataType, shape: Shape, where: string): void {
  const size = sizeOf(shape)
  const isFloat = dataType.startsWith("float") || dataType === "bfloat16"
  // Lists of nothing are how optional inputs say "not given"; a weight without numbers is a mistake.
  if (size === 0 && isFloat && shape.length > 1)
    refuse(where, "numbers", `shape [${shape.join(", ")}]`, "Export the network again; a weight of it is empty.")
  if (proto.segment !== null && proto.segment !== undefined)
    refuse(where, "a tensor in one piece", "a segment", "Export the network again with whole tensors.")
  if (isRaw(proto)) {
    const bytes = elementBytes[dataType]
    const length = proto.rawData?.byteLength ?? 0
    if (bytes !== undefined && length !== bytes * size)
      refuse(where, `${bytes * size} bytes for ${dataType} [${shape.join(", ")}]`, `${length}`)
    return
  }
  const count = listOf(proto, dataType)?.length
  const perElement = dataType === "complex64" || dataType === "complex128" ? 2 : 1
  if (count !== undefined && count !== size * perElement)
    refuse(where, `${size * perElement} numbers for ${dataType} [${shape.join(", ")}]`, `${count}`)
}

function isRaw({ rawData }: TensorProto): boolean {
  return (rawData?.byteLength ?? 0) > 0
}

/** The list that holds data of a type when they are not raw. */
function listOf(proto: TensorProto, dataType: OnnxDataType): ArrayLike<unknown> | undefined {
  switch (dataType) {
    case "float32":
    case "complex64":
      return proto.floatData ?? []
    case "float64":
    case "complex128":
      return proto.doubleData ?? []
    case "int64":
      return proto.int64Data ?? []
    case "uint32":
    case "uint64":
      return proto.uint64Data ?? []
    case "string":
      return proto.stringData ?? []
    case "other":
      return undefined
    default:
      return proto.int32Data ?? []
  }
}

function readTensor(proto: TensorProto, dataType: OnnxDataType, shape: Shape, where: string): Tensor {
  const size = sizeOf(shape)
  if (dataType === "string" || dataType === "other" || dataType.startsWith("complex"))
    return refuse(where, "numbers", dataType === "other" ? "a type that learnloss does not know" : dataType, unread)
  const elements = isRaw(proto) ? rawElements(proto, dataType) : listElements(proto, dataType)
  if (dataType === "bool")
    return { dtype: "bool", shape, data: Uint8Array.from({ length: size }, (_, at) => (Number(elements[at]) ? 1 : 0)) }
  if (dataType === "float16" || dataType === "bfloat16") {
    const widen = dataType === "float16" ? float16ToNumber : bfloat16ToNumber
    const data = Float32Array.from({ length: size }, (_, at) => widen(Number(elements[at])))
    return { dtype: "float32", shape, data }
  }
  if (dataType === "float32" || dataType === "float64") {
    const data = elements instanceof Float32Array ? elements : Float32Array.from(elements as ArrayLike<number>)
    return { dtype: "float32", shape, data }
  }
  if (elements instanceof BigInt64Array) return { dtype: "int64", shape, data: elements }
  const data = new BigInt64Array(size)
  for (let at = 0; at < size; at++) {
    const value = BigInt(elements[at] as number | bigint)
    if (value > maxInt64) refuse(where, `numbers up to ${maxInt64}`, `${value}`, unread)
    data[at] = value
  }
  return { dtype: "int64", shape, data }
}

const unread = "ONNX Runtime can run the network; keep the node that reads this tensor in a frozen part."
const maxInt64 = 2n ** 63n - 1n

type Elements = ArrayLike<number | bigint>

/** A copy of the bytes under the type's own view; copied because a file's bytes are not aligned. */
function rawElements({ rawData }: TensorProto, dataType: OnnxDataType): Elements {
  const { buffer } = new Uint8Array(rawData ?? [])
  switch (dataType) {
    case "float32":
      return new Float32Array(buffer)
    case "float64":
      return new Float64Array(buffer)
    case "int64":
      return new BigInt64Array(buffer)
    case "uint64":
      return new BigUint64Array(buffer)
    case "int32":
      return new Int32Array(buffer)
    case "uint32":
      return new Uint32Array(buffer)
    case "int16":
      return new Int16Array(buffer)
    case "uint16":
    case "float16":
    case "bfloat16":
      return new Uint16Array(buffer)
    case "int8":
      return new Int8Array(buffer)
    default:
      return new Uint8Array(buffer)
  }
}

/** Lists are wider than the elements they hold, so what does not fit is cut to the type's width. */
function listElements(proto: TensorProto, dataType: OnnxDataType): Elements {
  switch (dataType) {
    case "float32":
      return proto.floatData ?? []
    case "float64":
      return proto.doubleData ?? []
    case "int64":
      return (proto.int64Data ?? []).map((value) => int64ToBigInt(value))
    case "uint64":
      return (proto.uint64Data ?? []).map((value) => int64ToBigInt(value))
    case "uint32":
      return Uint32Array.from((proto.uint64Data ?? []).map((value) => Number(int64ToBigInt(value) & 0xffffffffn)))
    case "int16":
      return Int16Array.from(proto.int32Data ?? [])
    case "uint16":
    case "float16":
    case "bfloat16":
      return Uint16Array.from(proto.int32Data ?? [])
    case "int8":
      return Int8Array.from(proto.int32Data ?? [])
    case "uint8":
      return Uint8Array.from(proto.int32Data ?? [])
    default:
      return proto.int32Data ?? []
  }
}

/** IEEE 754 binary16: sign, five bits of exponent with bias 15, ten bits of fraction. */
export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

const word = new DataView(new ArrayBuffer(4))

/** The upper half of a binary32. */
function bfloat16ToNumber(bits: number): number {
  word.setUint32(0, bits << 16)
  return word.getFloat32(0)
}
