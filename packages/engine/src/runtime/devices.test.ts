import { describe, expect, test } from "vitest"
import { LearnlossError } from "../errors.ts"
import { availableDevices, requireDevice } from "./devices.ts"

describe("devices", () => {
  test("the processor is always there", async () => {
    await expect(requireDevice("cpu")).resolves.toBe(undefined)
    expect(await availableDevices()).toContain("cpu")
  })

  test("one that the platform lacks is refused with those that there are", async () => {
    const missing = process.platform === "linux" ? "coreml" : "cuda"
    const error = await requireDevice(missing, "--device").catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(LearnlossError)
    const { code, message } = error as LearnlossError
    expect(code).toBe("DEVICE_UNAVAILABLE")
    expect(message).toMatch(/^--device: expected a device that this machine has \(cpu.*\), got \w+: /)
    expect(message).toMatch(/no provider for it on this platform.*needs/)
  })
})
