/** @file Measures one case, on both sides where both are there. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runConfigSchema } from "@learnloss/contract"
import { buildSeconds } from "./build.mjs"
import { ourPeakMemory, peerPeakMemory } from "./memory.mjs"
import { timeInTurn } from "./speed.mjs"

/** Largest difference of what both sides compute: relative for losses and logits, absolute for an accuracy. */
const tolerances = { step: 1e-3, score: 1e-3, cycle: 0.05 }

/**
 * @param {object} work one of `cases`
 * @param {{ ours: string, isPeerOnly: boolean, threads: number, repetitions: number }} settings
 * @param {Awaited<ReturnType<typeof import("./peer-client.mjs").startPeer>>} peer
 * @returns what `figuresOf` reads
 */
export async function measure(work, settings, peer) {
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
  const folder = await mkdtemp(join(tmpdir(), "learnloss-bench-"))
  try {
    return await measureSpeed(
      work,
      { ours, isPeerOnly, threads, repetitions, folder: peer === null ? null : folder },
      peer,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const creators = {
  step: "createStepBench",
  score: "createScoreBench",
  gemm: "createGemmBench",
  cycle: "createCycleBench",
}

async function measureSpeed(work, { ours, isPeerOnly, threads, repetitions, folder }, peer) {
  const { name, kind } = work
  const warmups = kind === "cycle" ? 0 : 2
  const prepared = await peer?.request({ command: "prepare", ...requestFor(work, folder) })
  const bench = isPeerOnly ? null : await (await import(ours))[creators[kind]]({ ...work, threads, folder })
  try {
    const checks = { ours: bench?.check ?? null, peer: prepared?.check ?? null }
    requireSame(name, checks, tolerances[kind], kind === "cycle")
    const seconds = await timeInTurn(bench, peer, { repetitions, warmups })
    return { ...seconds, flops: bench?.flops ?? null, way: prepared?.way ?? null, checks }
  } finally {
    await bench?.release?.()
  }
}

/** What the peer has to know of a case. */
function requestFor({ kind, network, width, batch, image, size, products, config }, folder) {
  switch (kind) {
    case "gemm":
      return { kind, size, products }
    case "cycle":
      return { kind, config: runConfigSchema.parse(config) }
    default:
      return { kind, network, width, batch, image, folder }
  }
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
