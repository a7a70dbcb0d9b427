/**
 * @file Speed and memory beside PyTorch's, measured in turn in one run.
 *
 *   npm run bench                         a table
 *   npm run bench -- --json               one object a line: { name, ours, peer, ratio }
 *   npm run bench -- --only step-w64-b32,memory-w64-b128 --threads 1 --repetitions 9
 *
 * `ours` and `peer` are seconds (medians), for memory bytes of peak resident memory; `ratio` is the peer's figure over
 * ours, so above 1 we are the faster or smaller one. Without PyTorch `peer` and `ratio` are null.
 */
import { availableParallelism } from "node:os"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { parseArgs } from "node:util"
import { cases } from "./cases.mjs"
import { ourPeakMemory, peerPeakMemory } from "./memory.mjs"
import { startPeer } from "./peer-client.mjs"
import { median, timeInTurn } from "./speed.mjs"

const options = {
  only: { type: "string", default: cases.map(({ name }) => name).join(",") },
  threads: { type: "string", default: String(availableParallelism()) },
  repetitions: { type: "string", default: "7" },
  json: { type: "boolean", default: false },
  "peer-only": { type: "boolean", default: false },
  ours: { type: "string", default: resolve(import.meta.dirname, "ours.mjs") },
  help: { type: "boolean", default: false },
}

const usage = `npm run bench -- [options]
  --only NAME,...    of ${options.only.default}
  --threads N        of both sides (${options.threads.default})
  --repetitions N    measurements of each side, taken in turn (${options.repetitions.default})
  --json             one object a line: name, ours, peer, ratio
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
    if (found === undefined) throw new RangeError(`--only: unknown case ${name}; known are ${options.only.default}`)
    return found
  })
  return {
    ...values,
    chosen,
    threads: positiveInteger("--threads", values.threads),
    repetitions: positiveInteger("--repetitions", values.repetitions),
    ours: pathToFileURL(resolve(values.ours)).href,
  }
}

function positiveInteger(name, text) {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new RangeError(`${name}: expected a positive number, got ${text}`)
  return Number(text)
}

/** Medians and all measurements of one case. */
async function measure(work, { ours, threads, repetitions, "peer-only": isPeerOnly }, peer) {
  if (work.kind === "memory") {
    const bytes = isPeerOnly ? null : await ourPeakMemory(ours, work, threads)
    return result(work, bytes === null ? [] : [bytes], peer === null ? [] : [await peerPeakMemory(work, threads)])
  }
  const create = work.kind === "step" ? "createStepBench" : "createScoreBench"
  const bench = isPeerOnly
    ? null
    : await (await import(ours))[create]({ width: work.width, batch: work.batch, threads })
  const seconds = await timeInTurn(bench, peer, work, repetitions)
  await bench?.release?.()
  return result(work, seconds.ours, seconds.peer, seconds.way)
}

function result({ name, kind, wanted }, ours, peer, way = null) {
  const [our, their] = [ours, peer].map((values) => (values.length === 0 ? null : median(values)))
  const ratio = our === null || their === null ? null : their / our
  return { name, kind, wanted, ours, peer, our, their, ratio, way }
}

const columns = [
  ["case", 17],
  ["ours", 27],
  ["PyTorch", 27],
  ["ratio", 7],
  ["wanted", 8],
  ["PyTorch's way", 0],
]

function tableLine(cells) {
  return cells
    .map((cell, index) => cell.padEnd(columns[index][1]))
    .join("")
    .trimEnd()
}

/** Median with smallest and largest, e.g. `1.073 s (1.06-1.19)`. */
function figure(kind, values, middle) {
  if (middle === null) return "-"
  if (kind === "memory") return `${(middle / 2 ** 20).toFixed(0)} MiB`
  const digits = middle < 0.1 ? 4 : 3
  return `${middle.toFixed(digits)} s (${Math.min(...values).toFixed(digits)}-${Math.max(...values).toFixed(digits)})`
}

function row({ name, kind, wanted, ours, peer, our, their, ratio, way }) {
  const ratioText = ratio === null ? "-" : ratio.toFixed(2)
  return tableLine([name, figure(kind, ours, our), figure(kind, peer, their), ratioText, wanted.toFixed(2), way ?? ""])
}

async function main() {
  const settings = readOptions()
  if (settings.help) return console.log(usage)
  // The peer of the speed cases; memory has processes of its own, of which none may run beside another.
  const peer = await startPeer(settings.threads)
  const peerName = peer === null ? "PyTorch not found (our figures only)" : `PyTorch ${peer.torch}`
  console.error(
    `${peerName}, Node ${process.versions.node}, ${settings.threads} threads, medians of ${settings.repetitions}`,
  )
  if (peer === null && settings["peer-only"]) throw new Error("--peer-only needs a Python with PyTorch")
  try {
    if (!settings.json) console.log(tableLine(columns.map(([title]) => title)))
    for (const work of settings.chosen) {
      const measured = await measure(work, settings, peer)
      const { name, our, their, ratio } = measured
      console.log(settings.json ? JSON.stringify({ name, ours: our, peer: their, ratio }) : row(measured))
    }
    if (!settings.json) console.log("ratio: PyTorch's figure over ours; above 1 we are faster, or smaller in memory")
  } finally {
    await peer?.stop()
  }
}

try {
  await main()
} catch (error) {
  console.error(error instanceof RangeError ? `${error.message}\n${usage}` : error.message)
  process.exitCode = error instanceof RangeError ? 2 : 1
}
