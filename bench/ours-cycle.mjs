/** @file A whole cycle of active learning as a run makes it: train, evaluate the test set, score candidates, select. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runConfigSchema } from "@learnloss/contract"
import { createRng } from "@learnloss/engine"
import { openDataset, resolveRun, runTrial } from "@learnloss/learn"

/** Ends a trial whose first cycle is on record. */
class CycleDone extends Error {}

/**
 * Data are read and plans are made beforehand, as they are once for a whole run. What is timed is a trial up to the record
 * of its first cycle: with building and compiling its training step, checkpoints, and pictures' pixels.
 *
 * @param {{ config: import("@learnloss/contract").RunConfigInput, threads: number }} options
 * @returns {Promise<import("./ours.mjs").Bench>}
 */
export async function createCycleBench({ config: given, threads }) {
  const settings = runConfigSchema.parse({ ...given, engine: { threads } })
  const { signal } = new AbortController()
  const dataset = await openDataset(settings.data, {
    imageSize: settings.imageSize,
    rng: createRng(settings.seed),
    signal,
    onProgress: () => {},
    onDefect: () => {},
  })
  const config = await resolveRun(settings, dataset, () => {})
  const bench = {
    check: undefined,
    async run() {
      const checkpointFolder = await mkdtemp(join(tmpdir(), "learnloss-cycle-"))
      const recorder = {
        finished: { cycles: [], selections: [] },
        checkpointFolder,
        recordInitial() {},
        recordCycle({ record, selection }) {
          if (selection?.ids.length !== settings.budget.perCycle) throw new Error("cycle: nothing was selected")
          bench.check = record.metrics.accuracy
          throw new CycleDone()
        },
      }
      const [strategy] = config.strategies
      try {
        await runTrial({ config, dataset, strategy, trial: 1, recorder, emit: () => {}, signal })
      } catch (error) {
        if (!(error instanceof CycleDone)) throw error
      } finally {
        await rm(checkpointFolder, { recursive: true, force: true })
      }
    },
  }
  await bench.run()
  return bench
}
