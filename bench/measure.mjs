/** @file Measures one case, on both sides where both are there. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runConfigSchema } from "@learnloss/contract"
import { buildSeconds } from "./build.mjs"
import { metricsSeconds } from "./detection-metrics.mjs"
import { ourPeakMemory, peerPeakMemory } from "./memory.mjs"
import { median, timeInTurn, timers } from "./speed.mjs"

/** Largest difference of what both sides compute: relative for losses and logits, absolute for an accuracy. */
const tolerances = { step: 1e-3, score: 1e-3, cycle: 0.05 }

/**
 * The machine's limit: the case `gemm`, and the faster side's products to be timed beside other cases.
 *
 * @returns {Promise<{ measured: object, flops: number, run: import("./speed.mjs").Timed, release: () => Promise<void> }>}
 */
export async function measureLimit(work, { ours, isPeerOnly, threads, repetitions }, peer) {
  const { size, products, most } = work
  await peer?.request({ command: "prepare", kind: "gemm", size, products })
  const bench = isPeerOnly ? null : await (await import(ours)).createGemmBench({ size, products, threads })
  const sides = {
    ours: bench === null ? null : timers.ours(bench),
    peer: peer === null ? null : timers.peer(peer, "limit"),
  }
  const flops = products * 2 * size ** 3
  const timed = await timeInTurn(sides, { repetitions: Math.min(repetitions, most), warmups: 2 })
  const seconds = { ours: timed.ours, peer: timed.peer }
  const isOursFaster = peer === null || (bench !== null && median(seconds.ours) < median(seconds.peer))
  return {
    measured: { ...seconds, flops, way: peer === null ? null : "mm" },
    flops,
    run: isOursFaster ? sides.ours : sides.peer,
    release: async () => bench?.release?.(),
  }
}

/**
 * @param {object} work one of `cases`
 * @param {{ ours: string, isPeerOnly: boolean, threads: number, repetitions: number }} settings
 * @param {Awaited<ReturnType<typeof import("./peer-client.mjs").startPeer>>} peer
 * @param {Awaited<ReturnType<typeof measureLimit>> | null} limit
 * @returns what `figuresOf` reads
 */
export async function measure(work, settings, peer, limit = null) {
  const { ours, isPeerOnly, threads } = settings
  const repetitions = Math.min(settings.repetitions, work.most ?? Number.POSITIVE_INFINITY)
  if (work.kind === "memory") {
    return {
      ours: isPeerOnly ? [] : [await ourPeakMemory(ours, work, threads)],
      peer: peer === null ? [] : [await peerPeakMemory(work, threads)],
    }
  }
  if (work.kind === "build") {
    return { ours: isPeerOnly ? [] : await buildSeconds(ours, work, threads, repetitions), peer: [] }
  }
  if (work.kind === "metrics") {
    return { ours: isPeerOnly ? [] : await metricsSeconds(work, repetitions), peer: [] }
  }
  if (work.taps !== undefined && peer === null)
    return { ours: [], peer: [], way: "exports the network, so it is needed" }
  const folder = await mkdtemp(join(tmpdir(), "learnloss-bench-"))
  try {
    return await measureSpeed(
      work,
      { ours, isPeerOnly, threads, repetitions, folder: peer === null ? null : folder },
      peer,
      limit,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const creators = {
  step: "createStepBench",
  score: "createScoreBench",
  cycle: "createCycleBench",
}

async function measureSpeed(work, { ours, isPeerOnly, threads, repetitions, folder }, peer, limit) {
  const { name, kind } = work
  // A cycle is warmed up when it is prepared.
  const warmups = kind === "cycle" ? 0 : 2
  const prepared = await peer?.request({ command: "prepare", ...requestFor(work, folder) })
  const bench = isPeerOnly ? null : await (await import(ours))[creators[kind]]({ ...work, threads, folder })
  try {
    const checks = { ours: bench?.check ?? null, peer: prepared?.check ?? null }
    requireSame(name, checks, tolerances[kind], kind === "cycle")
    const sides = {
      ours: bench === null ? null : timers.ours(bench),
      peer: peer === null ? null : timers.peer(peer),
      limit: kind === "cycle" ? null : (limit?.run ?? null),
    }
    const { limit: limitSeconds, ...seconds } = await timeInTurn(sides, { repetitions, warmups })
    const parts =
      kind === "cycle"
        ? { ours: bench?.parts ?? null, peer: (await peer?.request({ command: "parts" }))?.parts ?? null }
        : null
    const limitGflops = limitSeconds.length === 0 ? null : limit.flops / median(limitSeconds) / 1e9
    return {
      ...seconds,
      flops: bench?.flops ?? null,
      way: prepared?.way ?? null,
      ourWay: bench?.way ?? null,
      checks,
      parts,
      limit: limitGflops,
    }
  } finally {
    await bench?.release?.()
  }
}

/** What the peer has to know of a case. */
function requestFor({ kind, network, width, stacks, batch, image, config }, folder) {
  if (kind === "cycle") return { kind, config: runConfigSchema.parse(config) }
  return { kind, network, width, stacks, batch, image, folder }
}

/**
 * Makes sure that both sides do the same work.
 *
 * @throws Error naming what each of them got
 */
export function requireSame(name, { ours, peer }, tolerance, isAbsolute = false) {
  if (ours === null || peer === null) return
  const scale = isAbsolute ? 1 : Math.max(Math.abs(ours), Math.abs(peer))
  if (Math.abs(ours - peer) <= tolerance * scale) return
  throw new Error(
    `${name}: expected the same from both sides within ${tolerance}, got ${ours} and from PyTorch ${peer}`,
  )
}
