import { describe, expect, test } from "vitest"
import { LearnlossError } from "../errors.ts"
import type { Tensor } from "../graph/tensor.ts"
import { type WrittenTensor, writeOnnxModel } from "../testing/onnx-writer.ts"
import { decodeOnnxModel } from "./read-model.ts"

function stored(tensor: WrittenTensor | Tensor) {
  const bytes = writeOnnxModel({
    opset: 17,
    inputs: [],
    initializers: { t: tensor },
    nodes: [{ op: "Identity", inputs: ["t"], outputs: ["y"] }],
    outputs: ["y"],
  })
  const found = decodeOnnxModel(bytes, "test.onnx").initializers.get("t")
  if (found === undefined) throw new Error("the tensor is gone")
  return found
}

const bytesOf = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
const codeOf = (action: () => unknown): string => {
  try {
    action()
  } catch (error) {
    if (error instanceof LearnlossError) return error.code
    throw error
  }
  return "none"
}

describe("stored tensors", () => {
  test.each([
    ["float32", bytesOf(Float32Array.of(1.5, -2)), [1.5, -2]],
    ["float64", bytesOf(Float64Array.of(0.25, 1e10)), [0.25, 1e10]],
    ["float16", bytesOf(Uint16Array.of(0x3c00, 0xc000)), [1, -2]],
    ["bfloat16", bytesOf(Uint16Array.of(0x3f80, 0xc0a0)), [1, -5]],
  ] as const)("of raw %s are read as float32", (dataType, rawData, expected) => {
    const tensor = stored({ dataType, shape: [2], rawData })
    expect(tensor).toMatchObject({ dataType, shape: [2] })
    expect(tensor.read()).toEqual({ dtype: "float32", shape: [2], data: Float32Array.from(expected) })
  })

  test.each([
    ["int64", bytesOf(BigInt64Array.of(-1n, 2n ** 62n)), [-1n, 2n ** 62n]],
    ["int32", bytesOf(Int32Array.of(-7, 8)), [-7n, 8n]],
    ["int16", bytesOf(Int16Array.of(-300, 8)), [-300n, 8n]],
    ["int8", bytesOf(Int8Array.of(-3, 8)), [-3n, 8n]],
    ["uint64", bytesOf(BigUint64Array.of(5n, 2n ** 63n - 1n)), [5n, 2n ** 63n - 1n]],
    ["uint32", bytesOf(Uint32Array.of(4e9, 8)), [4000000000n, 8n]],
    ["uint16", bytesOf(Uint16Array.of(65535, 8)), [65535n, 8n]],
    ["uint8", bytesOf(Uint8Array.of(255, 8)), [255n, 8n]],
  ] as const)("of raw %s are read as int64", (dataType, rawData, expected) => {
    expect(stored({ dataType, shape: [2], rawData }).read()).toEqual({
      dtype: "int64",
      shape: [2],
      data: BigInt64Array.from(expected),
    })
  })

  test.each<[string, WrittenTensor, readonly number[]]>([
    ["float32", { dataType: "float32", shape: [2], floatData: [1.5, -2] }, [1.5, -2]],
    ["float64", { dataType: "float64", shape: [2], doubleData: [1.5, -2] }, [1.5, -2]],
    ["float16", { dataType: "float16", shape: [2], int32Data: [0x3c00, 0xc000] }, [1, -2]],
    ["bfloat16", { dataType: "bfloat16", shape: [2], int32Data: [0x3f80, 0xc0a0] }, [1, -5]],
    ["int64", { dataType: "int64", shape: [2], int64Data: [-1, 2 ** 40] }, [-1, 2 ** 40]],
    ["int32", { dataType: "int32", shape: [2], int32Data: [-1, 70000] }, [-1, 70000]],
    ["int16", { dataType: "int16", shape: [2], int32Data: [-1, 300] }, [-1, 300]],
    ["int8", { dataType: "int8", shape: [2], int32Data: [-1, 100] }, [-1, 100]],
    ["uint8", { dataType: "uint8", shape: [2], int32Data: [1, 255] }, [1, 255]],
    ["uint16", { dataType: "uint16", shape: [2], int32Data: [1, 65535] }, [1, 65535]],
    ["uint32", { dataType: "uint32", shape: [2], uint64Data: [1, 4e9] }, [1, 4e9]],
    ["uint64", { dataType: "uint64", shape: [2], uint64Data: [1, 2 ** 40] }, [1, 2 ** 40]],
    ["bool", { dataType: "bool", shape: [2], int32Data: [1, 0] }, [1, 0]],
  ])("of %s are read from lists too", (_, tensor, expected) => {
    expect(Array.from(stored(tensor).read().data as ArrayLike<number | bigint>, Number)).toEqual(expected)
  })

  test("of bool hold zero or one whatever byte stands for true", () => {
    const tensor = stored({ dataType: "bool", shape: [3], rawData: Uint8Array.of(0, 1, 255) })
    expect(tensor.read()).toEqual({ dtype: "bool", shape: [3], data: Uint8Array.of(0, 1, 1) })
  })

  test("of float16 cover subnormal and infinite numbers", () => {
    const rawData = bytesOf(Uint16Array.of(0x0001, 0x8000, 0x7c00, 0xfc00, 0x7bff, 0x7e00))
    const { data } = stored({ dataType: "float16", shape: [6], rawData }).read()
    expect(Array.from(data as Float32Array)).toEqual([2 ** -24, -0, Infinity, -Infinity, 65504, Number.NaN])
  })

  test("may be scalars and empty lists", () => {
    expect(stored({ dataType: "float32", shape: [], floatData: [3] }).read().data).toEqual(Float32Array.of(3))
    expect(stored({ dataType: "float32", shape: [0] }).read().data).toHaveLength(0)
    expect(stored({ dataType: "int64", shape: [0] }).read().data).toHaveLength(0)
  })

  test.each<[string, WrittenTensor]>([
    ["too few bytes", { dataType: "float32", shape: [2], rawData: new Uint8Array(7) }],
    ["too many bytes", { dataType: "int64", shape: [1], rawData: new Uint8Array(16) }],
    ["too few numbers", { dataType: "float32", shape: [3], floatData: [1, 2] }],
    ["numbers in another type's list", { dataType: "float32", shape: [2], int64Data: [1, 2] }],
    ["no data", { dataType: "float32", shape: [2] }],
    ["a negative length", { dataType: "float32", shape: [-1, -1], floatData: [1] }],
    ["an empty weight", { dataType: "float32", shape: [3, 0] }],
    ["a shape of a quadrillion numbers", { dataType: "float32", shape: [1e9, 1e6], floatData: [1] }],
    ["a shape that no number counts", { dataType: "float32", shape: [2 ** 40, 2 ** 40], rawData: new Uint8Array(4) }],
    ["a shape that overflows to nothing", { dataType: "float32", shape: [2 ** 40, 2 ** 40, 0], floatData: [] }],
    ["too few strings", { dataType: "string", shape: [2], stringData: ["one"] }],
  ])("with %s are refused", (_, tensor) => {
    expect(codeOf(() => stored(tensor))).toBe("ONNX_TENSOR")
  })

  test.each<[string, WrittenTensor]>([
    ["strings", { dataType: "string", shape: [1], stringData: ["one"] }],
    ["complex numbers", { dataType: "complex64", shape: [1], floatData: [1, 2] }],
    ["a type of later days", { dataType: 17, shape: [2], rawData: new Uint8Array(2) }],
    ["uint64 beyond int64", { dataType: "uint64", shape: [1], rawData: new Uint8Array(8).fill(255) }],
  ])("of %s can stand in a file but are no numbers", (_, tensor) => {
    const found = stored(tensor)
    expect(codeOf(() => found.read())).toBe("ONNX_TENSOR")
  })
})
