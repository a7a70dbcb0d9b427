import type { RunConfig } from "@learnloss/contract"
import { createRng, LearnlossError } from "@learnloss/engine"
import { type AnyDataset, requireDataOf } from "@learnloss/learn"
import { checkPoolSize } from "./check-budget.ts"
import { throwIfInterrupted } from "./interruption.ts"
import type { ExperimentParts } from "./parts.ts"

/** The images of a run, opened and shaped. */
export interface RunData {
  /** The settings with the data that are really used. */
  readonly config: RunConfig
  /** One pool a trial, since which classes are rare depends on the trial. */
  readonly pools: readonly AnyDataset[]
}

export interface OpenRunDataOptions {
  readonly parts: Pick<ExperimentParts, "openDataset" | "fetchDataset" | "shapePool">
  readonly say: (line: string) => void
  /** Says what belongs to the results too. */
  readonly announce: (line: string) => void
  readonly signal: AbortSignal
}

/**
 * Opens the data of a new run; data that are known by name and not on this machine are fetched, and where that fails
 * the run's `fallbackData` take their place.
 *
 * @throws LearnlossError what reading and fetching throw, `POOL_TOO_SMALL` when the budget exceeds a pool.
 */
export async function openRunData(config: RunConfig, options: OpenRunDataOptions): Promise<RunData> {
  const { data, fallbackData } = config
  // Data that were asked for are no replacement, and nobody must be told so.
  const settled = data === fallbackData ? { ...config, fallbackData: null } : config
  try {
    return await openKnownData(settled, options)
  } catch (error) {
    const isMissing = error instanceof LearnlossError && error.code === "DATA_NOT_FOUND" && !data.includes(":")
    if (!isMissing) throw error
  }
  try {
    await options.parts.fetchDataset(data)
  } catch (error) {
    throwIfInterrupted(options.signal, data)
    if (!(error instanceof LearnlossError) || fallbackData === null || fallbackData === data) throw error
    const replaced = { ...config, data: fallbackData }
    const notice = fallbackNotice(replaced)
    if (notice !== null) options.announce(notice)
    options.say(`The reason: ${error.message}`)
    return await openKnownData(replaced, options)
  }
  return await openKnownData(settled, options)
}

/** Opens exactly the data that the settings name, as a resumed run must. */
export async function openKnownData(config: RunConfig, { parts, say, signal }: OpenRunDataOptions): Promise<RunData> {
  const rng = createRng(config.seed)
  const dataset = await parts.openDataset(config.data, {
    task: config.task,
    imageSize: config.imageSize,
    defects: config.defects,
    // Told now and not after hours of training.
    decodes: true,
    rng: rng.child("data"),
    signal,
    onProgress: everyFewSeconds((done, total) => say(`reading images: ${done} of ${total}`)),
    onDefect: ({ file, reason }) => say(`${file}: ${reason}`),
  })
  throwIfInterrupted(signal, config.data)
  requireDataOf(config, dataset)
  const pools = Array.from({ length: config.trials }, (_, index) =>
    parts.shapePool(dataset, config.pool, rng.child(`trial/${index + 1}/pool`)),
  )
  for (const pool of pools) checkPoolSize(config, pool.train.ids.length)
  return { config, pools }
}

/** What must be said of a run that does not use the data it was made for; null of all others. */
export function fallbackNotice({ data, fallbackData }: RunConfig): string | null {
  if (data !== fallbackData) return null
  return `This run uses "${data}" because the data it was made for could not be fetched: its figures say nothing about them.`
}

function everyFewSeconds(tell: (done: number, total: number) => void): (done: number, total: number) => void {
  let lastAt = performance.now()
  return (done, total) => {
    if (performance.now() - lastAt < 5000) return
    lastAt = performance.now()
    tell(done, total)
  }
}
