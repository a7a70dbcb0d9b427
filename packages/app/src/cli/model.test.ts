import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { floatTensor } from "@learnloss/engine"
import { writeOnnxModel } from "@learnloss/engine/testing"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { runMain } from "../run-main.test-suite.ts"

const fixtures = new URL("../../../../fixtures/imports/", import.meta.url).pathname

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "learnloss-model-"))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const command = (...args: string[]) => runMain(args)

describe("learnloss model", () => {
  it("lists the ops that networks may be made of", async () => {
    const ops: { op: string; opsets: string; gradient: boolean }[] = JSON.parse(
      (await command("model", "ops", "--json")).stdout,
    )
    expect(ops.find(({ op }) => op === "Conv")).toEqual({ op: "Conv", opsets: "11-22", gradient: true })
    expect(ops.find(({ op }) => op === "Shape")).toEqual({ op: "Shape", opsets: "11-22", gradient: false })
    expect((await command("model", "ops")).stdout).toMatch(/^Conv +11-22 +yes$/m)
  })

  it("says what a file holds, what can be trained and what to tap", async () => {
    const { code, stdout } = await command("model", "inspect", join(fixtures, "resnet18-training.onnx"), "--json")
    expect(code).toBe(0)
    const found = JSON.parse(stdout)
    expect(found).toMatchObject({ obstacles: [], foldedNorm: "no", batch: "dynamic" })
    expect(found.taps.map(({ shape }: { shape: number[] }) => shape.slice(1))).toEqual([
      [16, 16],
      [8, 8],
      [4, 4],
      [2, 2],
    ])
    const shapes: { kind: string; shape: number[] }[] = found.parameters.tensors
    const sizes = shapes.map(({ kind, shape }) => (kind === "parameter" ? shape.reduce((a, b) => a * b, 1) : 0))
    expect(found.parameters.count).toBe(sizes.reduce((a, b) => a + b, 0))
  })

  it("tells how to export a file whose normalisation was folded away", async () => {
    const { stdout } = await command("model", "inspect", join(fixtures, "resnet18-folded.onnx"))
    expect(stdout).toContain("torch.onnx.export(")
    expect(stdout).toMatch(/Suggested taps.*\n.*\[4, 16, 16\]/)
  })

  it("names the ops that keep parameters from being trained, and the sizes that a file leaves open", async () => {
    const path = join(root, "net.onnx")
    const weight = floatTensor(
      [4, 3, 1, 1],
      Float32Array.from({ length: 12 }, (_, index) => index / 10),
    )
    writeFileSync(
      path,
      writeOnnxModel({
        opset: 16,
        inputs: [{ name: "x", shape: ["n", 3, "h", "w"] }],
        initializers: { weight, grid: floatTensor([1, 2, 2, 2]) },
        nodes: [
          { op: "Conv", inputs: ["x", "weight"], outputs: ["a"] },
          { op: "GridSample", inputs: ["x", "grid"], outputs: ["b"], name: "warp" },
          { op: "Det", inputs: ["a"], outputs: ["c"], name: "determinant" },
        ],
        outputs: ["c"],
      }),
    )
    const open = await command("model", "inspect", path)
    expect(open.code).toBe(2)
    expect(open.stderr).toMatch(/input "x".*length/)
    const { code, stdout } = await command("model", "inspect", path, "--input-size", "6,6")
    expect(code).toBe(0)
    expect(stdout).toMatch(/Det node "determinant" has no rule.*weight/)
    expect((await command("model", "inspect", path, "--input-size", "6")).stderr).toContain("224,224")
  })

  it("tells about a file with custom ops as far as that goes without running it", async () => {
    const path = join(root, "custom.onnx")
    writeFileSync(
      path,
      writeOnnxModel({
        opset: 16,
        opsets: { "org.example": 1 },
        inputs: [{ name: "x", shape: ["n", 3, 32, 32] }],
        initializers: { weight: floatTensor([32, 4]) },
        nodes: [
          { op: "MatMul", inputs: ["x", "weight"], outputs: ["a"] },
          { op: "Special", domain: "org.example", inputs: ["a"], outputs: ["y"], name: "special" },
        ],
        outputs: ["y"],
      }),
    )
    const { code, stdout } = await command("model", "inspect", path)
    expect(code).toBe(0)
    expect(stdout).toMatch(/Shapes are unknown\. .*custom ops \(org\.example\.Special\).*without custom ops/s)
    expect(stdout).toMatch(/128 parameters in 1 tensor.*cost unknown/)
    expect(stdout).toMatch(/org\.example\.Special +1 +no +no/)
    expect(stdout).toContain('node "special" has no rule')
    const fit = await command(
      "fit",
      path,
      "--data",
      `cifar10:${join(fixtures, "fit")}`,
      "--steps",
      "1",
      "--out",
      join(root, "out.onnx"),
    )
    expect(fit.code).toBe(2)
    expect(fit.stderr).toContain("custom ops (org.example.Special)")
  })

  it.each([
    ["a text file", "not an ONNX file at all"],
    ["an empty file", ""],
  ])("refuses %s with a typed error", async (_, content) => {
    const path = join(root, "bad.onnx")
    writeFileSync(path, content)
    const { code, stdout } = await command("model", "inspect", path, "--json")
    expect(code).toBe(2)
    expect(JSON.parse(stdout).error).toMatchObject({ code: "ONNX_BROKEN", where: path })
  })
})
