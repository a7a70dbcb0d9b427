import { createHash } from "node:crypto"
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { floatTensor } from "../graph/tensor.ts"
import { createSession } from "../runtime/ort.ts"
import { type WrittenTensor, writeOnnxModel } from "../testing/onnx-writer.ts"
import { cutModel } from "./cut.ts"
import { decodeOnnxModel, readOnnxModel } from "./read-model.ts"

const data = new Uint8Array(Float32Array.of(9, 9, 1, 2, 3, 4).buffer)

function write(external: Readonly<Record<string, string | number>>, shape = [2, 2]) {
  const folder = mkdtempSync(join(tmpdir(), "learnloss-"))
  const weight: WrittenTensor = { dataType: "float32", shape, external }
  const bytes = writeOnnxModel({
    opset: 17,
    inputs: [{ name: "x", shape: ["n", 2] }],
    initializers: { weight },
    nodes: [{ op: "MatMul", inputs: ["x", "weight"], outputs: ["y"] }],
    outputs: ["y"],
  })
  const path = join(folder, "model.onnx")
  writeFileSync(path, bytes)
  writeFileSync(join(folder, "weights.bin"), data)
  return { path, folder, bytes }
}

const refusal = (message: string) =>
  expect.objectContaining({ code: "ONNX_EXTERNAL_DATA", message: expect.stringContaining(message) })

describe("external data", () => {
  test("are read, counted into the digest, and stand inside what is cut", async () => {
    const { path, folder, bytes } = write({ location: "weights.bin", offset: 8, length: 16 })
    const model = readOnnxModel(path)
    const part = data.subarray(8, 24)
    expect(model.initializers.get("weight")?.read()).toEqual(floatTensor([2, 2], Float32Array.of(1, 2, 3, 4)))
    expect(model.digest).toBe(createHash("sha256").update(bytes).update(part).digest("hex"))
    rmSync(folder, { recursive: true })
    const session = await createSession(cutModel(model, { outputs: [{ name: "y" }] }), { threads: 1 })
    const { y } = await session.run({ x: floatTensor([1, 2], Float32Array.of(1, 10)) })
    expect(y?.data).toEqual(Float32Array.of(31, 42))
    await session.release()
  })

  test("may leave out offset and length, and lie in a folder beside the model", () => {
    const { path, folder } = write({ location: "parts/w.bin" })
    mkdirSync(join(folder, "parts"))
    writeFileSync(join(folder, "parts", "w.bin"), data.subarray(0, 16))
    expect(readOnnxModel(path).initializers.get("weight")?.read().data).toEqual(Float32Array.of(9, 9, 1, 2))
  })

  test.each([
    ["a file that is not there", { location: "absent.bin" }, "absent.bin"],
    ["no location", { offset: 0 }, '""'],
    ["an absolute path", { location: "/etc/hostname" }, "/etc/hostname"],
    ["a path of another system", { location: "C:\\weights.bin" }, "weights.bin"],
    ["a path out of the folder", { location: "../weights.bin" }, "../weights.bin"],
    ["a path out of the folder in the middle", { location: "parts/../../weights.bin" }, "weights.bin"],
    ["a path out of the folder with backslashes", { location: "..\\weights.bin" }, "weights.bin"],
    ["a folder", { location: "." }, "none"],
    ["an offset behind the end", { location: "weights.bin", offset: 20, length: 16 }, "offset 20"],
    ["a length behind the end", { location: "weights.bin", offset: 0, length: 1_000_000 }, "length 1000000"],
    ["a negative offset", { location: "weights.bin", offset: -8, length: 16 }, "offset"],
    ["an offset that is no number", { location: "weights.bin", offset: "8x", length: 16 }, "offset"],
    ["a length that does not fit the shape", { location: "weights.bin", offset: 0, length: 12 }, "16 bytes"],
  ])("with %s are refused", (_, external, message) => {
    const { path } = write(external as Record<string, string | number>)
    expect(() => readOnnxModel(path)).toThrow(refusal(message))
  })

  test("of a model that came without a folder are refused", () => {
    const { bytes } = write({ location: "weights.bin", offset: 0, length: 16 })
    expect(() => decodeOnnxModel(bytes, "memory")).toThrow(refusal("without a folder"))
  })

  test("of a shape larger than the file allocate nothing", () => {
    const { path } = write({ location: "weights.bin" }, [2 ** 20, 2 ** 20])
    expect(() => readOnnxModel(path)).toThrow(refusal("inside"))
  })

  test("of more than 2 GB are refused before they are read", () => {
    const { path, folder } = write({ location: "weights.bin" }, [600_000_000])
    truncateSync(join(folder, "weights.bin"), 2_400_000_000)
    expect(() => readOnnxModel(path)).toThrow(
      expect.objectContaining({ code: "ONNX_TOO_LARGE", message: expect.stringContaining("2.2 GB") }),
    )
    rmSync(folder, { recursive: true })
  })
})
