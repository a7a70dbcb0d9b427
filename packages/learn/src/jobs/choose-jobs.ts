import { createHash } from "node:crypto"
import type { RunConfig } from "@learnloss/contract"
import { createRng, type Device, type LoweringPlan, type Measurements } from "@learnloss/engine"
import type { AnyDataset } from "../data/dataset.ts"
import type { Feeds } from "../training/batches.ts"
import { buildTraining, type Learner } from "../training/learner.ts"
import { openBatches } from "../training/open-batches.ts"
import { drawNoise } from "../training/train-cycle.ts"
import { jobsOf, stepsAtOnce } from "./schedule.ts"
import { fewestTimedSteps, type JobLayout, timeSteps } from "./time-steps.ts"

/** Milliseconds of the clock for each training step under a layout, and the bytes that it took. */
export type TimeLayout = (layout: JobLayout, mostSteps: number) => Promise<{ milliseconds: number; bytes: number }>

/** Share of a run that finding out how to share the machine may cost. */
const affordableShare = 0.05
/** Several jobs must promise to be faster by this much: they take more memory, and timing is noise. */
const leastGain = 1.08

/**
 * Whether the settings leave open how many jobs train at once. Where the number of threads was named it stays; fixed
 * lowerings ask for a run that is the same everywhere; other devices than the processor are not shared out by threads.
 */
export function isLayoutOpen({ engine }: Pick<RunConfig, "engine">): boolean {
  return (
    engine.jobs === "measured" && engine.threads === null && engine.lowerings !== "fixed" && engine.device === "cpu"
  )
}

/** The layout that the settings name: without a number of threads, jobs share out the cores. */
export function namedLayout({ engine }: Pick<RunConfig, "engine">, cores: number): JobLayout {
  const jobs = engine.jobs === "measured" ? 1 : engine.jobs
  return { jobs, threads: engine.threads ?? Math.max(1, Math.floor(cores / jobs)) }
}

/**
 * Finds out by timing whether a run ends sooner with one job that has all cores or with several that share them, counting
 * in what waits for a shared cycle and what is left alone at the end.
 *
 * @param say is told when several are to run at once
 */
export async function chooseJobs(
  config: RunConfig,
  cores: number,
  time: TimeLayout,
  say: (line: string) => void,
): Promise<JobLayout> {
  const jobs = jobsOf(config, [])
  const alone: JobLayout = { jobs: 1, threads: cores }
  const steps = stepsAtOnce(jobs, 1)
  const layouts = layoutsOf(cores, jobs.length)
  const [first] = layouts
  // What is timed with one thread takes as many times as long as there are cores.
  const mostSteps = Math.floor((affordableShare * steps) / (1 + (first?.jobs ?? 1)))
  if (first === undefined || mostSteps < fewestTimedSteps) return alone
  const measured = await time(alone, mostSteps)
  const aloneMs = measured.milliseconds * steps
  let best = { layout: alone, ms: aloneMs / leastGain }
  for (const layout of layouts) {
    if (measured.bytes * layout.jobs > freeBytes()) break
    const { milliseconds } = await time(layout, mostSteps)
    const ms = milliseconds * layout.jobs * stepsAtOnce(jobs, layout.jobs)
    // With more jobs come fewer threads: once that stops to help, it does not help again.
    if (ms >= best.ms) break
    best = { layout, ms }
  }
  if (best.layout.jobs > 1) say(describe(best.layout, aloneMs / best.ms))
  return best.layout
}

/** The plan of a training step for a number of threads: a thread alone prefers other ways than two together. */
export type PlanFor = (threads: number) => Promise<LoweringPlan>

/** Times layouts by training the learner's network on images of the data set, each with the plan that it would have. */
export function layoutTimer(learner: Learner, dataset: AnyDataset, planFor: PlanFor, device: Device): TimeLayout {
  let made: Promise<Feeds> | undefined
  return async (layout, mostSteps) => {
    made ??= someBatch(learner, dataset, device)
    const plan = await planFor(layout.threads)
    return timeSteps(layout, { learner, feeds: await made, plan, device, mostSteps })
  }
}

/**
 * Times a layout of a training step once a machine.
 *
 * @param nameOf names the training step of so many threads, such as `stepName` does
 */
export function remembered(
  time: TimeLayout,
  measurements: Measurements,
  nameOf: (threads: number) => Promise<string>,
): TimeLayout {
  return async (layout, mostSteps) => {
    const name = `${await nameOf(layout.threads)}, ${layout.jobs} at once with ${layout.threads} threads`
    const known = measurements.find(name, [clock, memory])?.milliseconds
    const [milliseconds, bytes] = [known?.[clock], known?.[memory]]
    if (typeof milliseconds === "number" && typeof bytes === "number") return { milliseconds, bytes }
    const timed = await time(layout, mostSteps)
    measurements.keep(name, { chosen: clock, milliseconds: { [clock]: timed.milliseconds, [memory]: timed.bytes } })
    measurements.save()
    return timed
  }
}

const clock = "milliseconds of the clock a step"
const memory = "bytes of memory"

/** Names a training step by all that its time depends on: tensors, batch and ways to compute. */
export function stepName(learner: Learner, plan: LoweringPlan): string {
  const { batch } = learner.config.training
  const tensors = buildTraining(learner, batch).network.specs.map(({ name, shape }) => [name, shape])
  const about = JSON.stringify([
    batch,
    learner.imageShape,
    learner.strategyTraining,
    tensors,
    Object.entries(plan).sort(),
  ])
  return `step ${createHash("sha256").update(about).digest("hex").slice(0, 16)}`
}

async function someBatch(learner: Learner, dataset: AnyDataset, device: Device): Promise<Feeds> {
  const { batch } = learner.config.training
  const rng = createRng("timed batch")
  const { batches, release } = await openBatches({ learner, dataset, augmentation: null, threads: 1, device })
  try {
    const positions = Array.from({ length: batch }, (_, index) => index % dataset.train.ids.length)
    const { noiseInputs } = buildTraining(learner, batch).network
    return { ...(await batches.training(positions, rng)), ...drawNoise(noiseInputs, rng) }
  } finally {
    await release()
  }
}

/** Two jobs, four, ..., while each keeps a thread and there are as many. */
function layoutsOf(cores: number, jobCount: number): JobLayout[] {
  const layouts: JobLayout[] = []
  for (let jobs = 2; jobs <= Math.min(cores, jobCount); jobs *= 2) {
    layouts.push({ jobs, threads: Math.floor(cores / jobs) })
  }
  return layouts
}

function freeBytes(): number {
  return process.availableMemory()
}

function describe({ jobs, threads }: JobLayout, gain: number): string {
  const each = threads === 1 ? "one thread" : `${threads} threads`
  return `Training ${jobs} at once with ${each} each, about ${gain.toFixed(1)} times as fast as one after the other (engine.jobs=1 forces that and takes less memory).`
}
