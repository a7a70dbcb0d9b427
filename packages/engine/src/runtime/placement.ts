import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Device } from "../lowering/device.ts"

/** A node of a compiled graph, after ONNX Runtime fused what it could, and what computed it. */
export interface PlacedNode {
  readonly name: string
  readonly op: string
  readonly isOnDevice: boolean
}

/** Which nodes of a graph a device computes; the processor computes the others. */
export interface Placement {
  readonly device: Device
  readonly nodes: readonly PlacedNode[]
  /** Tensors that are copied from the device to the processor or back in the midst of a run. */
  readonly copies: number
}

/** An event of ONNX Runtime's profile, a Chrome trace. */
interface ProfileEvent {
  readonly cat: string
  readonly name: string
  readonly args?: { readonly op_name?: string; readonly provider?: string; readonly node_index?: string }
}

const kernelSuffix = "_kernel_time"

/** A profile of one run, of which the placement of its nodes is read; ONNX Runtime tells it in no other way. */
export class PlacementProfile {
  readonly #folder = mkdtempSync(join(tmpdir(), "learnloss-profile-"))
  readonly #device: Device

  constructor(device: Device) {
    this.#device = device
  }

  /** How the profile's file begins. */
  get prefix(): string {
    return join(this.#folder, "run")
  }

  /** Reads the profile, once ONNX Runtime has ended it, and removes its file. */
  read(): Placement {
    const [file] = readdirSync(this.#folder)
    const events = file === undefined ? [] : JSON.parse(readFileSync(join(this.#folder, file), "utf8"))
    this.discard()
    return placementOf(events, this.#device)
  }

  discard(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** The placement that the events of a run tell; a node that ran more than once counts once. */
export function placementOf(events: readonly ProfileEvent[], device: Device): Placement {
  const kernels = new Map<string, { name: string; op: string; isOnDevice: boolean }>()
  for (const { cat, name, args } of events) {
    if (cat !== "Node" || !name.endsWith(kernelSuffix)) continue
    const { op_name: op = "", provider = "", node_index: index = "" } = args ?? {}
    kernels.set(`${index} ${name}`, {
      name: name.slice(0, -kernelSuffix.length),
      op,
      isOnDevice: provider !== "CPUExecutionProvider",
    })
  }
  const all = [...kernels.values()]
  const isCopy = ({ op }: PlacedNode) => op.startsWith("Memcpy")
  return { device, nodes: all.filter((node) => !isCopy(node)), copies: all.filter(isCopy).length }
}

/** How many ops a sentence names. */
const namedOps = 6

/** Says in one sentence what of a graph its device leaves to the processor. */
export function describePlacement({ device, nodes, copies }: Placement): string {
  const counts = new Map<string, number>()
  for (const { op, isOnDevice } of nodes) if (!isOnDevice) counts.set(op, (counts.get(op) ?? 0) + 1)
  if (counts.size === 0) return `All ${nodes.length} nodes run on ${device}.`
  const sorted = [...counts].sort(([a, countOfA], [b, countOfB]) => countOfB - countOfA || (a < b ? -1 : 1))
  const named = sorted.slice(0, namedOps).map(([op, count]) => `${op} (${count})`)
  const rest = sorted.length > namedOps ? ", ..." : ""
  const left = sorted.reduce((sum, [, count]) => sum + count, 0)
  const copied =
    copies === 0 ? "" : `; tensors cross between the two ${copies === 1 ? "once" : `${copies} times`} a run`
  return `${left} of ${nodes.length} nodes run on the CPU, not on ${device}: ${named.join(", ")}${rest}${copied}.`
}
