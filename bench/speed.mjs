import { setTimeout as sleep } from "node:timers/promises"

/** A measurement lasts at least this long; short work is repeated. */
const leastSeconds = 0.5
/** Threads of both libraries spin for a while after their work: they get this long to come to rest. */
const restMs = 200

/** @typedef {(times: number) => Promise<number>} Timed does work that often and gives the seconds of all together */

/** How the two sides are timed. */
export const timers = {
  /** @param {import("./ours.mjs").Bench} bench @returns {Timed} */
  ours: (bench) => (times) => timeRuns(bench, times),
  /** @param {{ request(command: object): Promise<any> }} peer @returns {Timed} */
  peer:
    (peer, command = "run") =>
    async (times) =>
      (await peer.request({ command, times })).seconds,
}

/**
 * Times both sides in turn, ours then theirs, repetition after repetition, each while the other one idles.
 *
 * @param {{ ours: Timed | null, peer: Timed | null, limit?: Timed | null }} sides null where a side is not there; the limit
 * is timed beside them, once a repetition, for what the machine can do drifts
 * @param {{ repetitions: number, warmups: number }} counts without a warm-up, work is taken to be long enough to run once
 * @returns seconds of one run for each repetition
 */
export async function timeInTurn({ ours, peer, limit = null }, { repetitions, warmups }) {
  const seconds = { ours: [], peer: [], limit: [] }
  const enough = warmups === 0 ? 1 : await timesEnough(ours, peer, warmups)
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const [side, run, times] of [
      ["ours", ours, enough],
      ["peer", peer, enough],
      ["limit", limit, 1],
    ]) {
      if (run === null) continue
      await sleep(restMs)
      seconds[side].push((await run(times)) / times)
    }
  }
  return seconds
}

/** Warms both sides up and finds how often the faster one has to run for a measurement. */
async function timesEnough(ours, peer, warmups) {
  await ours?.(warmups)
  const once = Math.min((await ours?.(1)) ?? Number.POSITIVE_INFINITY, (await peer?.(1)) ?? Number.POSITIVE_INFINITY)
  return Math.ceil(leastSeconds / Math.max(0.001, once))
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
