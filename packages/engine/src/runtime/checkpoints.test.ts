import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { floatTensor } from "../graph/tensor.ts"
import { zeros } from "../nn/initializers.ts"
import { loadCheckpoint, requireWeightsOf, saveCheckpoint } from "./checkpoints.ts"

const state = (value: number) => ({
  parameters: new Map([["w", floatTensor([2], Float32Array.of(value, -value))]]),
  optimizer: new Map([["momentum of w", floatTensor([2], Float32Array.of(value / 3, 0))]]),
})
const temporary = () => join(mkdtempSync(join(tmpdir(), "learnloss-")), "checkpoint")

describe("checkpoints", () => {
  test("give back state and meta to the bit, and only the newest is kept", () => {
    const folder = temporary()
    expect(loadCheckpoint(folder)).toBe(undefined)
    saveCheckpoint(folder, { state: state(1), meta: { step: 1 } })
    saveCheckpoint(folder, { state: state(2), meta: { step: 2, sum: 0.1 + 0.2 } })
    expect(loadCheckpoint(folder)).toEqual({ state: state(2), meta: { step: 2, sum: 0.1 + 0.2 } })
    expect(readdirSync(folder)).toHaveLength(2)
  })

  test("a kill between tensors and JSON leaves the checkpoint before", () => {
    const folder = temporary()
    saveCheckpoint(folder, { state: state(1), meta: { step: 1 } })
    writeFileSync(join(folder, "weights-2.safetensors"), "half of a file")
    expect(loadCheckpoint(folder)).toEqual({ state: state(1), meta: { step: 1 } })
    saveCheckpoint(folder, { state: state(3), meta: { step: 3 } })
    expect(loadCheckpoint(folder)).toEqual({ state: state(3), meta: { step: 3 } })
    expect(readdirSync(folder)).toHaveLength(2)
  })

  test("damage is reported with the path", () => {
    const folder = temporary()
    saveCheckpoint(folder, { state: state(1), meta: {} })
    rmSync(join(folder, "weights-1.safetensors"))
    expect(() => loadCheckpoint(folder)).toThrow(/weights-1\.safetensors/)
    writeFileSync(join(folder, "checkpoint.json"), "{")
    expect(() => loadCheckpoint(folder)).toThrow(/checkpoint\.json/)
  })

  test("weights of another model are refused by the tensor that differs", () => {
    const spec = (name: string, shape: number[]) => ({ name, shape, initializer: zeros, kind: "parameter" as const })
    const { parameters } = state(1)
    expect(() => requireWeightsOf([spec("w", [2])], parameters, "here")).not.toThrow()
    expect(() => requireWeightsOf([spec("w", [3])], parameters, "here")).toThrow(/here: expected w \[3\], got \[2\]/)
    expect(() => requireWeightsOf([spec("w", [2]), spec("b", [2])], parameters, "here")).toThrow(/tensor b/)
    expect(() => requireWeightsOf([], parameters, "here")).toThrow(/tensor w that it does not have/)
  })
})
