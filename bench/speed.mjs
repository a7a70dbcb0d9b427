import { setTimeout as sleep } from "node:timers/promises"

/** A measurement lasts at least this long; short work is repeated. */
const leastSeconds = 0.5
/** Threads of both libraries spin for a while after their work: they get this long to come to rest. */
const restMs = 200

/**
 * Times the two sides in turn, ours then theirs, repetition after repetition, each while the other one idles.
 *
 * @param {import("./ours.mjs").Bench | null} ours null measures the peer alone
 * @param {Awaited<ReturnType<import("./peer-client.mjs").startPeer>>} peer null measures our side alone
 * @param {{ kind: string, width: number, batch: number }} work
 * @param {number} repetitions
 * @returns seconds of one run for each repetition, and the way in which the peer was fastest
 */
export async function timeInTurn(ours, peer, { kind, width, batch }, repetitions) {
  const prepared = await peer?.request({ command: "prepare", kind, width, batch, warmups: 2 })
  const runOurs = ours === null ? null : (times) => timeRuns(ours, times)
  const runPeer = peer === null ? null : async (times) => (await peer.request({ command: "run", times })).seconds
  await runOurs?.(2)
  const once = Math.max(0.001, Math.min((await runOurs?.(1)) ?? Infinity, (await runPeer?.(1)) ?? Infinity))
  const times = Math.ceil(leastSeconds / once)

  const seconds = { ours: [], peer: [] }
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const [side, run] of [
      ["ours", runOurs],
      ["peer", runPeer],
    ]) {
      if (run === null) continue
      await sleep(restMs)
      seconds[side].push((await run(times)) / times)
    }
  }
  return { ...seconds, way: prepared?.way ?? null }
}

async function timeRuns(bench, times) {
  const start = performance.now()
  for (let run = 0; run < times; run++) await bench.run()
  return (performance.now() - start) / 1000
}

/** @param {readonly number[]} values not empty */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
