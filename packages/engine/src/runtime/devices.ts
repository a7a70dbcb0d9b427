import { LearnlossError } from "../errors.ts"
import { add } from "../graph/build.ts"
import { encodeModel } from "../graph/codec.ts"
import { Graph } from "../graph/graph.ts"
import { floatTensor } from "../graph/tensor.ts"
import { type Device, devices } from "../lowering/device.ts"
import { listProviders, openSession } from "./compute-thread.ts"

const advice: { readonly [K in Exclude<Device, "cpu">]: string } = {
  webgpu: "WebGPU needs a GPU with a driver for Vulkan, Metal or Direct3D 12 that this process may use.",
  cuda: "CUDA needs Linux, an NVIDIA GPU, CUDA 12 with cuDNN 9, and the libraries that onnxruntime-node's installation downloads.",
  coreml: "CoreML needs macOS.",
  dml: "DirectML needs Windows.",
}

/** How much of a reason an error tells. */
const reasonLength = 200

/**
 * Makes sure that sessions can run on a device, by running one there.
 *
 * @param where the setting that named the device, for the error
 * @throws LearnlossError `DEVICE_UNAVAILABLE`, naming the devices that this machine has
 */
export async function requireDevice(device: Device, where = "engine.device"): Promise<void> {
  if (device === "cpu") return
  const reason = await reasonAgainst(device)
  if (reason === undefined) return
  const available = await availableDevices(device)
  throw new LearnlossError("DEVICE_UNAVAILABLE", {
    where,
    expected: `a device that this machine has (${available.join(", ")})`,
    got: `${device}: ${reason}`,
    fix: advice[device],
  })
}

/**
 * The devices that sessions can run on, found by running one on each.
 *
 * @param except a device that is known not to work
 */
export async function availableDevices(except?: Device): Promise<Device[]> {
  const available: Device[] = []
  for (const device of devices) {
    if (device !== except && (await reasonAgainst(device)) === undefined) available.push(device)
  }
  return available
}

/** Why sessions cannot run on a device; undefined where they can. */
async function reasonAgainst(device: Device): Promise<string | undefined> {
  if (!(await listProviders()).includes(device)) return "ONNX Runtime has no provider for it on this platform"
  const graph = new Graph()
  const x = graph.input("x", "float32", [2])
  try {
    const session = await openSession(encodeModel(graph, { sum: add(x, 1) }), { threads: 1, device, isSilent: true })
    const { sum } = await session.run({ x: floatTensor([2], Float32Array.of(1, 2)) })
    await session.release()
    return sum?.data[0] === 2 && sum.data[1] === 3 ? undefined : "it computed 1 + 1 wrongly"
  } catch (error) {
    return shortReason(error instanceof LearnlossError ? error.details.got : String(error))
  }
}

/** The sentence of ONNX Runtime's message that says what happened, without the place in its sources. */
function shortReason(message: string): string {
  const [line = ""] = message.trim().split("\n")
  const told = line.replace(/^.* was false\. /, "")
  return told.length > reasonLength ? `${told.slice(0, reasonLength)}...` : told.replace(/\.$/, "")
}
