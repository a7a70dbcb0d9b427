/** @file A whole cycle of active learning as a run makes it: train, evaluate the test set, score candidates, select. */
import { mkdtemp, rm } from "node:fs/promises"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { runConfigSchema } from "@learnloss/contract"
import { createRng, onComputeThread } from "@learnloss/engine"
import { computeThreadOf, openDataset, resolveRun, runTrial } from "@learnloss/learn"

/** Ends a trial whose first cycle is on record. */
class CycleDone extends Error {}

/**
 * Data are read and plans are made beforehand, as they are once for a whole run. What is timed is every trial up to the
 * record of its first cycle: with building and compiling its training step, and checkpoints. Trials go side by side where
 * the resolved settings say so.
 *
 * @param {{ config: import("@learnloss/contract").RunConfigInput, threads: number }} options
 * @returns {Promise<import("./ours.mjs").Bench>}
 */
export async function createCycleBench({ config: given, threads }) {
  // A run leaves the number of threads open; only then it chooses how many jobs share them.
  const engine = threads === availableParallelism() ? {} : { threads }
  const settings = runConfigSchema.parse({ ...given, engine })
  const { signal } = new AbortController()
  const dataset = await openDataset(settings.data, {
    imageSize: settings.imageSize,
    rng: createRng(settings.seed),
    signal,
    onProgress: () => {},
    onDefect: () => {},
  })
  const config = await resolveRun(settings, dataset, () => {})
  const { jobs } = config.engine
  const records = new Map()
  const bench = {
    way: config.trials === 1 ? null : `${jobs} at once`,
    check: undefined,
    parts: null,
    async run() {
      const trials = Array.from({ length: config.trials }, (_, index) => index + 1)
      const next = async (job) => {
        for (let trial = trials.shift(); trial !== undefined; trial = trials.shift()) {
          const running = trial
          records.set(
            running,
            await onComputeThread(computeThreadOf(job, jobs), () => runCycle(config, dataset, running)),
          )
        }
      }
      await Promise.all(Array.from({ length: jobs }, (_, job) => next(job)))
      const all = [...records.values()]
      bench.check = all.reduce((sum, { metrics }) => sum + metrics.accuracy, 0) / all.length
      const { trainSeconds, evaluateSeconds, selectSeconds } = all.at(-1)
      bench.parts = { train: trainSeconds, evaluate: evaluateSeconds, select: selectSeconds }
    },
  }
  await bench.run()
  return bench
}

/** Runs a trial up to the record of its first cycle and gives that record. */
async function runCycle(config, dataset, trial) {
  const checkpointFolder = await mkdtemp(join(tmpdir(), "learnloss-cycle-"))
  let finished
  const recorder = {
    finished: { cycles: [], selections: [] },
    checkpointFolder,
    recordInitial() {},
    recordCycle({ record, selection }) {
      finished = record
      if (selection?.ids.length !== config.budget.perCycle) throw new Error("cycle: nothing was selected")
      throw new CycleDone()
    },
  }
  const [strategy] = config.strategies
  const { signal } = new AbortController()
  try {
    await runTrial({ config, dataset, strategy, trial, recorder, emit: () => {}, signal })
  } catch (error) {
    if (!(error instanceof CycleDone)) throw error
  } finally {
    await rm(checkpointFolder, { recursive: true, force: true })
  }
  return finished
}
