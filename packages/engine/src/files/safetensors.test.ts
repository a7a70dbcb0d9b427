import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { filledTensor, floatTensor, intTensor } from "../graph/tensor.ts"
import { readSafetensors, writeSafetensors } from "./safetensors.ts"

const path = join(mkdtempSync(join(tmpdir(), "learnloss-")), "weights.safetensors")
const tensors = new Map([
  ["a.weight", floatTensor([2, 3], Float32Array.of(1, -2, 3.5, Number.MIN_VALUE, 1e30, -0))],
  ["näme", intTensor([2], [-5, 7])],
  ["empty", floatTensor([0])],
  ["mask", filledTensor("bool", [3], (at) => at % 2)],
  ["bytes", filledTensor("uint8", [2], (at) => 200 + at)],
  ["signed", filledTensor("int8", [3], (at) => at - 100)],
  ["whole", filledTensor("int32", [2], (at) => -70_000 * at)],
])

describe("safetensors", () => {
  test("gives back the same bits", () => {
    writeSafetensors(path, tensors)
    expect(readSafetensors(path)).toEqual(tensors)
    expect(Number(readFileSync(path).readBigUInt64LE(0)) % 8).toBe(0)
  })

  test.each([
    ["cut in the data", (bytes: Buffer) => bytes.subarray(0, -3), /bytes of/],
    ["cut in the header", (bytes: Buffer) => bytes.subarray(0, 20), /a header of/],
    ["empty", () => Buffer.alloc(0), /8 bytes/],
    ["no JSON", (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 8), Buffer.alloc(bytes.length, 65)]), /JSON/],
    [
      "another element type",
      (bytes: Buffer) => Buffer.from(bytes.toString("latin1").replace("F32", "F16"), "latin1"),
      /F16/,
    ],
  ])("a file that is %s is refused with its path", (_, damage, message) => {
    writeSafetensors(path, tensors)
    writeFileSync(path, damage(readFileSync(path)))
    expect(() => readSafetensors(path)).toThrow(message)
    expect(() => readSafetensors(path)).toThrow("weights.safetensors")
  })
})
