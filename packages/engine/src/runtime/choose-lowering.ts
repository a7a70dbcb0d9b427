import { relativeDifference } from "../graph/compare.ts"
import type { Lowering } from "../lowering/product.ts"
import type { Measurement } from "./measurements.ts"

/** A compiled lowering of a product. */
export interface Trial {
  /**
   * Computes once and says how many milliseconds it took.
   *
   * @throws anything where this processor or version of ONNX Runtime cannot compute it
   */
  run(): Promise<number>
  /** What the last run computed. */
  readonly result: Float32Array
  release(): Promise<void>
}

/** Compiles a lowering; rejects like `Trial.run`. */
export type OpenTrial = (lowering: Lowering) => Promise<Trial>

/** A way of computing a product may round differently, but must not be wrong. */
const largestDifference = 1e-3

/**
 * Runs that all lowerings make that are still in the race, in turn, and how slow one may be in comparison to the fastest
 * to stay in it. A first run also finds its memory, and any run may meet a busy moment of the machine: one in four takes
 * 1.6 times as long as it should. So the race narrows slowly, and a few stay in it whatever they took.
 */
const rounds = [
  { runs: 1, within: 1.8, atLeast: 3 },
  { runs: 1, within: 1.3, atLeast: 2 },
  { runs: 2, within: 1, atLeast: 1 },
] as const
/** Short runs are repeated more often in every round: noise weighs more in them. */
const roundMilliseconds = 10
const mostRuns = 6

interface Runner {
  readonly name: string
  readonly trial: Trial
  milliseconds: number
}

/** Finds the fastest of several lowerings of one product. All that stay in the race must agree with the first that ran. */
export async function chooseLowering(candidates: readonly Lowering[], open: OpenTrial): Promise<Measurement> {
  const milliseconds: Record<string, number | null> = Object.fromEntries(candidates.map(({ name }) => [name, null]))
  let racing: Runner[] = []
  try {
    let reference: Float32Array | undefined
    for (const lowering of candidates) {
      const runner = await firstRun(lowering, open)
      if (runner === undefined) continue
      reference ??= runner.trial.result
      if (relativeDifference(runner.trial.result, reference) > largestDifference) await runner.trial.release()
      else racing.push(runner)
    }
    for (const [index, { runs, within, atLeast }] of rounds.entries()) {
      const fastest = Math.min(...racing.map((runner) => runner.milliseconds))
      const repeated = Math.min(mostRuns, Math.max(runs, Math.ceil(roundMilliseconds / fastest)))
      // The first run of all stands already.
      for (let run = index === 0 ? 1 : 0; run < (index === 0 ? runs : repeated); run++) {
        for (const runner of racing) runner.milliseconds = Math.min(runner.milliseconds, await runner.trial.run())
      }
      racing.sort((a, b) => a.milliseconds - b.milliseconds)
      for (const runner of racing) milliseconds[runner.name] = Math.round(runner.milliseconds * 1000) / 1000
      const limit = within * (racing[0]?.milliseconds ?? 0)
      const staying = racing.filter((runner, place) => place < atLeast || runner.milliseconds <= limit)
      const leaving = racing.filter((runner) => !staying.includes(runner))
      racing = staying
      for (const { trial } of leaving) await trial.release()
    }
    return { chosen: racing[0]?.name ?? (candidates[0] as Lowering).name, milliseconds }
  } finally {
    for (const { trial } of racing) await trial.release()
  }
}

async function firstRun(lowering: Lowering, open: OpenTrial): Promise<Runner | undefined> {
  let trial: Trial | undefined
  try {
    trial = await open(lowering)
    return { name: lowering.name, trial, milliseconds: await trial.run() }
  } catch {
    await trial?.release()
    return undefined
  }
}
