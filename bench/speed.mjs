import { setTimeout as sleep } from "node:timers/promises"

/** A measurement lasts at least this long; short work is repeated. */
const leastSeconds = 0.5
/** Threads of both libraries spin for a while after their work: they get this long to come to rest. */
const restMs = 200

/**
 * Times the two sides in turn, ours then theirs, repetition after repetition, each while the other one idles.
 *
 * @param {import("./ours.mjs").Bench | null} ours null measures the peer alone
 * @param {Pick<NonNullable<Awaited<ReturnType<typeof import("./peer-client.mjs").startPeer>>>, "request"> | null} peer
 * has prepared its work; null measures our side alone
 * @param {{ repetitions: number, warmups: number }} counts
 * @returns seconds of one run for each repetition
 */
export async function timeInTurn(ours, peer, { repetitions, warmups }) {
  const runOurs = ours === null ? null : (times) => timeRuns(ours, times)
  const runPeer = peer === null ? null : async (times) => (await peer.request({ command: "run", times })).seconds
  const seconds = { ours: [], peer: [] }
  await runOurs?.(warmups)
  const once = Math.min((await runOurs?.(1)) ?? Infinity, (await runPeer?.(1)) ?? Infinity)
  const times = Math.ceil(leastSeconds / Math.max(0.001, once))
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
  return seconds
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
