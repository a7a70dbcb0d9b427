import { describePlacement } from "@learnloss/engine"
import type { LoopEvent } from "@learnloss/learn"
import { isInterruption } from "../experiments/interruption.ts"
import type { ExperimentParts } from "../experiments/parts.ts"
import type { ExperimentOptions, Outcome } from "../experiments/run-experiment.ts"
import { isResumable } from "../experiments/run-folder.ts"
import { formatCount } from "../report/format.ts"
import { describePlan } from "./dry-run.ts"
import type { CommandIo } from "./io.ts"
import { createMeasuringMeter } from "./measuring-meter.ts"
import { printOutcome } from "./outcome.ts"
import { createPhaseMeter } from "./phase-meter.ts"
import { createProgress, type Progress } from "./progress.ts"

/** Loads what experiments need only when one starts, so that `--help` answers at once. */
export type LoadParts = (io: CommandIo) => Promise<ExperimentParts>

export interface PerformOptions {
  readonly folder: string
  readonly isJson: boolean
  readonly io: CommandIo
  readonly loadParts: LoadParts
}

/** Runs or resumes an experiment in front of a person: progress to stderr, the outcome to stdout. */
export async function performExperiment(
  perform: (options: ExperimentOptions) => Promise<Outcome>,
  { folder, isJson, io, loadParts }: PerformOptions,
): Promise<void> {
  try {
    const outcome = await perform({
      folder,
      parts: await loadParts(io),
      signal: io.signal,
      say: (line) => io.stderr(`${line}\n`),
      onMeasure: createMeasuringMeter(createPhaseMeter(io)),
      announce: (line) => (isJson ? io.stderr : io.stdout)(`${line}\n`),
      watch: (config, stepsBefore) => {
        const progress = createProgress(io, { config, stepsBefore })
        const done = stepsBefore === 0 ? "" : `, ${formatCount(stepsBefore)} of them done`
        progress.say(`${describePlan(config)}${done}. Folder: ${folder}`)
        return { ...progress, show: tellPlacementOnce(progress) }
      },
    })
    printOutcome(outcome, io, isJson)
  } catch (error) {
    if (isInterruption(error, io.signal)) {
      io.stderr(
        isResumable(folder)
          ? `Interrupted. Go on with:\n  learnloss resume ${quoted(folder)}\n`
          : "Interrupted before training; no run was written. The same command starts it, with what was measured so far.\n",
      )
    }
    throw error
  }
}

/** Shows events, and of the first training on a device what it leaves to the processor; it is the same for the others. */
function tellPlacementOnce(progress: Progress): (event: LoopEvent) => void {
  let isTold = false
  return (event) => {
    if (event.type !== "placed") return progress.show(event)
    if (!isTold) progress.say(describePlacement(event.placement))
    isTold = true
  }
}

/** A path as it can be pasted into a shell. */
function quoted(path: string): string {
  return /^[\w./:@%+,=\\-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
