import { relativeDifference } from "../graph/compare.ts"
import type { Lowering } from "../lowering/product.ts"
import type { Measurement } from "./measurements.ts"

/** A compiled lowering of a product. */
export interface Trial {
  /**
   * Computes for the first time. Finding its memory can take several times as long as computing.
   *
   * @returns milliseconds that it took, and the fewest that may be left without that
   * @throws anything where this processor or version of ONNX Runtime cannot compute it
   */
  warmUp(): Promise<{ readonly took: number; readonly atLeast: number }>
  /** Computes once and says how many milliseconds it took. */
  run(): Promise<number>
  /** What the last run computed. */
  readonly result: Float32Array
  release(): Promise<void>
}

/** Compiles a lowering; rejects like `Trial.warmUp`. */
export type OpenTrial = (lowering: Lowering) => Promise<Trial>

/** A way of computing a product may round differently, but must not be wrong. */
const largestDifference = 1e-3

/**
 * How slow a lowering may be in comparison to the fastest to stay in the race, by the least that it can take after it has
 * warmed up, by one run after that, and for the last rounds. Any run may meet a busy moment of the machine (one in four takes 1.3 times as long
 * as it should), so the race narrows slowly, and a few stay in it whatever they took.
 */
const rounds = [
  { runs: 0, within: 1.7, atLeast: 2 },
  { runs: 1, within: 1.4, atLeast: 2 },
  { runs: 2, within: 1, atLeast: 1 },
] as const
/** Short runs are repeated more often in the last round: noise weighs more in them. */
const lastMilliseconds = 8
const mostRuns = 4

interface Runner {
  readonly name: string
  readonly trial: Trial
  milliseconds: number
  /** Less than `milliseconds` until it ran a second time. */
  atLeast: number
}

/** Finds the fastest of several lowerings of one product. All that stay in the race must agree with the first that ran. */
export async function chooseLowering(candidates: readonly Lowering[], open: OpenTrial): Promise<Measurement> {
  const milliseconds: Record<string, number | null> = Object.fromEntries(candidates.map(({ name }) => [name, null]))
  let racing: Runner[] = []
  try {
    let reference: Float32Array | undefined
    for (const lowering of candidates) {
      const runner = await warmedUp(lowering, open)
      if (runner === undefined) continue
      reference ??= runner.trial.result
      if (relativeDifference(runner.trial.result, reference) > largestDifference) await runner.trial.release()
      else racing.push(runner)
    }
    for (const { runs, within, atLeast } of rounds) {
      const fastest = Math.min(...racing.map((runner) => runner.milliseconds))
      const isLast = atLeast === 1
      const repeated = isLast ? Math.min(mostRuns, Math.max(runs, Math.ceil(lastMilliseconds / fastest))) : runs
      for (let run = 0; run < repeated; run++) {
        for (const runner of racing) {
          const took = await runner.trial.run()
          runner.milliseconds = Math.min(runner.milliseconds, took)
          runner.atLeast = runner.milliseconds
        }
      }
      racing.sort((a, b) => a.milliseconds - b.milliseconds)
      for (const runner of racing) milliseconds[runner.name] = Math.round(runner.atLeast * 1000) / 1000
      const limit = within * (racing[0]?.milliseconds ?? 0)
      const staying = racing.filter((runner, place) => place < atLeast || runner.atLeast <= limit)
      const leaving = racing.filter((runner) => !staying.includes(runner))
      racing = staying
      for (const { trial } of leaving) await trial.release()
    }
    return { chosen: racing[0]?.name ?? (candidates[0] as Lowering).name, milliseconds }
  } finally {
    for (const { trial } of racing) await trial.release()
  }
}

async function warmedUp(lowering: Lowering, open: OpenTrial): Promise<Runner | undefined> {
  let trial: Trial | undefined
  try {
    trial = await open(lowering)
    const { took, atLeast } = await trial.warmUp()
    return { name: lowering.name, trial, milliseconds: took, atLeast }
  } catch {
    await trial?.release()
    return undefined
  }
}
