import { createHash } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { availableParallelism, cpus } from "node:os"
import { runtimeVersion, type SessionOptions } from "./ort.ts"

/** Changes when the same names of candidates mean other computations, or are timed in another way. */
const edition = 2

/** Everything that decides what is fastest, as plain data. */
export function measuredOn({ threads, device = "cpu" }: Pick<SessionOptions, "threads" | "device">): object {
  return {
    edition,
    platform: process.platform,
    architecture: process.arch,
    processor: cpus()[0]?.model ?? "unknown",
    instructions: instructionSets(),
    cores: availableParallelism(),
    threads,
    device,
    runtime: runtimeVersion,
  }
}

/** A digest of the processor's instruction sets where the system tells them: virtual machines hide some under one name. */
function instructionSets(path = "/proc/cpuinfo"): string | null {
  if (!existsSync(path)) return null
  const line = readFileSync(path, "utf8").match(/^(?:flags|Features)\s*:\s*(.*)$/m)?.[1]
  if (line === undefined) return null
  return createHash("sha256").update(line.trim().split(/\s+/).toSorted().join(" ")).digest("hex").slice(0, 16)
}
