/**
 * @file Peak memory of training steps, each side in a new process. As a program it is our side's process:
 * `node memory.mjs OURS_MODULE CASE_AS_JSON STEPS` prints the bytes.
 */
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { argv, execPath, resourceUsage } from "node:process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { startPeer } from "./peer-client.mjs"
import { withPlanCache } from "./plan-cache.mjs"

const steps = 5
const thisFile = fileURLToPath(import.meta.url)

/** Largest resident set in bytes of a new process that makes our training steps. */
export async function ourPeakMemory(oursModule, work, threads) {
  const run = async (environment) => {
    const given = [thisFile, oursModule, JSON.stringify({ ...work, threads }), String(steps)]
    const { stdout } = await promisify(execFile)(execPath, given, { env: environment })
    return Number(stdout)
  }
  const [bytes] = await withPlanCache(work.isPlanKnown, run, 1)
  return bytes
}

/** The same of a new PyTorch process, or null without PyTorch. */
export async function peerPeakMemory({ network, width, batch, image }, threads) {
  const peer = await startPeer(threads)
  if (peer === null) return null
  await peer.request({ command: "prepare", kind: "step", network, width, batch, image, warmups: 0 })
  await peer.request({ command: "run", times: steps })
  const { bytes } = await peer.request({ command: "peakMemory" })
  await peer.stop()
  return bytes
}

/** Linux' VmHWM starts at zero with the program, while getrusage may report what the starting process had. */
function peakMemory() {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))
    if (line !== null) return Number(line[1]) * 1024
  } catch {
    // not Linux
  }
  return resourceUsage().maxRSS * 1024
}

if (argv[1] === thisFile) {
  const [oursModule, work, count] = argv.slice(2)
  const { createStepBench } = await import(oursModule)
  const bench = await createStepBench(JSON.parse(work))
  for (let step = 0; step < Number(count); step++) await bench.run()
  console.log(peakMemory())
  await bench.release?.()
}
