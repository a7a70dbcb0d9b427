import type { Shape, Tensor } from "../graph/tensor.ts"

/** Element types of ONNX (TensorProto.DataType) by their lower-case names. */
export type OnnxDataType =
  | "float32"
  | "float64"
  | "float16"
  | "bfloat16"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint64"
  | "uint32"
  | "uint16"
  | "uint8"
  | "bool"
  | "string"
  | "complex64"
  | "complex128"
  | "other"

/** A stored tensor; its bytes are turned into numbers only when somebody reads it. */
export interface OnnxTensor {
  readonly dataType: OnnxDataType
  readonly shape: Shape
  /**
   * The numbers in the engine's types: every float type as `float32`, every integer type as `int64`, `bool` as it is.
   *
   * @throws LearnlossError `ONNX_TENSOR` for strings, complex numbers and data of the wrong length
   */
  read(): Tensor
}

export type OnnxAttributeValue =
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "tensor"; readonly value: OnnxTensor }
  /** Subgraphs, sparse tensors and types: nothing that the engine reads. */
  | { readonly kind: "other" }

/** One node of a file, as it stands there. */
export interface OnnxNode {
  readonly op: string
  /** `""` is ONNX's own domain. */
  readonly domain: string
  /** Unique inside its model; made up where the file gives none. */
  readonly name: string
  /** Names of values; `""` is an optional input that is left out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, OnnxAttributeValue>
}

/** What a file says of an input or output. A dimension is a number, a name for one that may vary, or unknown. */
export interface OnnxValueInfo {
  readonly name: string
  readonly dataType: OnnxDataType | undefined
  readonly shape: readonly (number | string | undefined)[] | undefined
}

/** An ONNX file that was read and found whole: every input of every node is known, and nothing depends on itself. */
export interface OnnxModel {
  /** The file's path, for messages. */
  readonly where: string
  /** SHA-256 of the file and its external data, hexadecimal. */
  readonly digest: string
  readonly irVersion: number
  /** Version of ONNX's own operator set. */
  readonly opset: number
  /** Versions of all operator sets by domain. */
  readonly opsets: ReadonlyMap<string, number>
  readonly producer: { readonly name: string; readonly version: string }
  /** Inputs that have to be fed: those without an initialiser. */
  readonly inputs: readonly OnnxValueInfo[]
  readonly outputs: readonly OnnxValueInfo[]
  /** In topological order. */
  readonly nodes: readonly OnnxNode[]
  readonly initializers: ReadonlyMap<string, OnnxTensor>
  readonly metadata: ReadonlyMap<string, string>
}
