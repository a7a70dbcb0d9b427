import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { beforeAll, describe, expect, it } from "vitest"
import type { DeviceRun } from "./webgpu-process.test-suite.ts"

/** SwiftShader, a Vulkan driver that needs no GPU, as Debian packages it with Chromium (package chromium-common). */
const folder = process.env.LEARNLOSS_SWIFTSHADER ?? "/usr/lib/chromium"
const driver = join(folder, "vk_swiftshader_icd.json")
const isThere = existsSync(driver)

const script = fileURLToPath(new URL("webgpu-process.test-suite.ts", import.meta.url))
const root = fileURLToPath(new URL("../../..", import.meta.url))

if (!isThere && process.env.CI === "true") {
  it("has the WebGPU driver that CI must not do without", () => {
    expect.fail(`${driver} is missing: apt-get install chromium-common`)
  })
}

describe.skipIf(!isThere)(`a run on WebGPU (skipped where ${driver} is absent: package chromium-common)`, () => {
  let cpu: DeviceRun
  let webgpu: DeviceRun

  beforeAll(() => {
    const libraries = [folder, process.env.LD_LIBRARY_PATH].filter((each) => each !== undefined).join(delimiter)
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--conditions=source", script, "cpu", "webgpu"],
      {
        cwd: root,
        env: { ...process.env, VK_DRIVER_FILES: driver, LD_LIBRARY_PATH: libraries },
        encoding: "utf8",
        timeout: 110_000,
      },
    )
    expect(status, stderr).toBe(0)
    ;({ cpu, webgpu } = JSON.parse(stdout) as { cpu: DeviceRun; webgpu: DeviceRun })
  }, 115_000)

  it("has the processor's losses in every step", () => {
    expect(webgpu.losses).toHaveLength(20)
    for (const [step, loss] of cpu.losses.entries()) {
      expect(Math.abs((webgpu.losses[step] as number) - loss), `loss of step ${step + 1}`).toBeLessThan(1e-3)
    }
    // Something was learned that could have differed.
    expect(new Set(cpu.losses.map((loss) => loss.toFixed(3))).size).toBeGreaterThan(15)
  })

  it("evaluates and scores as the processor does", () => {
    for (const [cycle, record] of cpu.records.entries()) {
      const other = webgpu.records[cycle] as DeviceRun["records"][number]
      expect(Math.abs(other.testLoss - record.testLoss)).toBeLessThan(1e-3)
      expectClose(other.targetLoss, record.targetLoss)
      expectClose(other.predictedLoss ?? [], record.predictedLoss ?? [])
    }
    expect(cpu.scores).toHaveLength(1)
    expectClose(webgpu.scores.flat(), cpu.scores.flat())
  })

  it("computes almost all nodes there and tells which not", () => {
    expect(cpu.placement).toBe(undefined)
    const nodes = webgpu.placement?.nodes ?? []
    const others = nodes.filter(({ isOnDevice }) => !isOnDevice)
    expect(nodes.length).toBeGreaterThan(100)
    expect(others.length).toBeLessThan(nodes.length / 10)
    // A product that falls back would make the device pointless.
    expect(others.map(({ op }) => op).filter((op) => /Conv|Gemm|MatMul|Reduce|Normalization/.test(op))).toEqual([])
  })
})

function expectClose(got: readonly number[], expected: readonly number[]) {
  expect(got).toHaveLength(expected.length)
  expect(expected.length).toBeGreaterThan(0)
  for (const [index, value] of expected.entries()) {
    expect(Math.abs((got[index] as number) - value), `value ${index}`).toBeLessThan(1e-3)
  }
}
