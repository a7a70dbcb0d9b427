/**
 * @file Speed and memory beside PyTorch's, measured in turn in one run.
 *
 *   npm run bench                         a table
 *   npm run bench -- --json               one object a line, with all that was measured
 *   npm run bench -- --only step-w64-b32,memory-w64-b128 --threads 1 --repetitions 9
 *
 * README.md in this folder says what the columns and fields mean.
 */
import { availableParallelism, cpus } from "node:os"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { parseArgs } from "node:util"
import { runtimeVersion } from "@learnloss/engine"
import { cases, gemm } from "./cases.mjs"
import { measure, measureLimit } from "./measure.mjs"
import { startFastestPeer } from "./peer-client.mjs"
import { usePlansOfThisRun } from "./plan-cache.mjs"
import { figuresOf, tableFoot, tableHead, tableRow } from "./table.mjs"

const names = cases.map(({ name }) => name).join(",")
const options = {
  only: { type: "string", default: names },
  threads: { type: "string", default: String(availableParallelism()) },
  repetitions: { type: "string", default: "7" },
  json: { type: "boolean", default: false },
  "peer-only": { type: "boolean", default: false },
  ours: { type: "string", default: resolve(import.meta.dirname, "ours.mjs") },
  help: { type: "boolean", default: false },
}

const usage = `npm run bench -- [options]
  --only NAME,...    of ${names}
  --threads N        of both sides (${options.threads.default})
  --repetitions N    measurements of each side, taken in turn (${options.repetitions.default}; long cases take fewer)
  --json             one object a line
  --peer-only        PyTorch alone
  --ours FILE        module that does our side's work, instead of ours.mjs`

/** Reads the command line; what is wrong with it is thrown as a RangeError. */
function readOptions() {
  let values
  try {
    values = parseArgs({ options }).values
  } catch (error) {
    throw new RangeError(error.message)
  }
  const chosen = values.only.split(",").map((name) => {
    const found = cases.find((each) => each.name === name)
    if (found === undefined) throw new RangeError(`--only: unknown case ${name}; known are ${names}`)
    return found
  })
  // What a case reaches is compared with the limit, so that comes first.
  const needsLimit = chosen.some(({ kind }) => kind === "step" || kind === "score")
  return {
    ...values,
    isPeerOnly: values["peer-only"],
    chosen: needsLimit ? [gemm, ...chosen.filter((work) => work !== gemm)] : chosen,
    threads: positiveInteger("--threads", values.threads),
    repetitions: positiveInteger("--repetitions", values.repetitions),
    ours: pathToFileURL(resolve(values.ours)).href,
  }
}

function positiveInteger(name, text) {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new RangeError(`${name}: expected a positive number, got ${text}`)
  return Number(text)
}

async function main() {
  const settings = readOptions()
  if (settings.help) return console.log(usage)
  // The peer of the speed cases; memory has processes of its own, of which none may run beside another.
  const peer = await startFastestPeer(settings.threads)
  const machine = {
    processor: cpus()[0]?.model ?? null,
    threads: settings.threads,
    repetitions: settings.repetitions,
    node: process.versions.node,
    onnxruntime: runtimeVersion,
    torch: peer?.torch ?? null,
  }
  const peerName = peer === null ? "PyTorch not found (our figures only)" : `PyTorch ${peer.torch}`
  console.error(
    `${machine.processor}, ${machine.threads} threads, Node ${machine.node}, onnxruntime-node ${runtimeVersion}, ${peerName}, medians of ${settings.repetitions}`,
  )
  if (peer === null && settings.isPeerOnly) throw new Error("--peer-only needs a Python with PyTorch")
  let limit = null
  const forgetPlans = await usePlansOfThisRun()
  try {
    if (!settings.json) console.log(tableHead)
    for (const work of settings.chosen) {
      try {
        if (work === gemm) limit = await measureLimit(work, settings, peer)
        const figures = figuresOf(work, work === gemm ? limit.measured : await measure(work, settings, peer, limit))
        console.log(settings.json ? JSON.stringify({ ...figures, machine }) : tableRow(figures))
      } catch (error) {
        process.exitCode = 1
        console.log(
          settings.json ? JSON.stringify({ name: work.name, error: error.message }) : `${work.name}: ${error.message}`,
        )
      }
    }
    if (!settings.json) console.log(tableFoot)
  } finally {
    await limit?.release()
    await peer?.stop()
    await forgetPlans()
  }
}

try {
  await main()
} catch (error) {
  console.error(error instanceof RangeError ? `${error.message}\n${usage}` : error.message)
  process.exitCode = error instanceof RangeError ? 2 : 1
}
