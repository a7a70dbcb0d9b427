import { existsSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { type CycleRecord, cycleRecordSchema, mainValue } from "@learnloss/contract"
import { LearnlossError } from "@learnloss/engine"
import { type NetworkFile, readNetworkFile } from "@learnloss/learn"
import {
  type CheckpointPlace,
  type CheckpointQuery,
  type ChooseCheckpoint,
  writeTrained,
} from "../experiments/export-run.ts"
import { openRecordFile } from "../experiments/record-file.ts"
import { runFiles } from "../experiments/run-files.ts"
import { formatCount, formatPercent } from "../report/format.ts"
import { measureOf } from "../report/summary.ts"

/** A network that predicts, and what is to be said of where it comes from. */
export interface OpenedNetwork {
  readonly network: NetworkFile
  /** In words, for a person. */
  readonly origin: string
}

/**
 * Opens a network's file, or writes the one that a run trained. Of several that a run trained it takes the one that did
 * best on the test set with most labels, and says so.
 *
 * @throws LearnlossError `NETWORK_NOT_FOUND`, and what reading files and runs throws
 */
export async function openNetwork(query: CheckpointQuery): Promise<OpenedNetwork> {
  const { from, strategy, trial } = query
  if (!existsSync(from)) {
    throw new LearnlossError("NETWORK_NOT_FOUND", {
      where: from,
      expected: "an ONNX file, or the folder of a run or a checkpoint",
      got: "nothing there",
      fix: "Name the file that `learnloss export` wrote, or the folder that `learnloss run` printed.",
    })
  }
  if (statSync(from).isDirectory()) {
    const { model, ...trained } = await writeTrained(query, bestOf)
    const { cycle, step, steps } = trained
    const when =
      step < steps ? `step ${step} of ${steps} of cycle ${cycle}` : `cycle ${cycle}${figuresOf(from, trained)}`
    const origin = `network of ${trained.strategy}, trial ${trained.trial}, after ${when}`
    return { network: readNetworkFile(model, from), origin }
  }
  if (strategy !== undefined || trial !== undefined) {
    throw new LearnlossError("NETWORK_NOT_FOUND", {
      where: from,
      expected: "the folder of a run, of which --strategy and --trial choose a network",
      got: "a file, which holds one network",
      fix: "Leave --strategy and --trial out.",
    })
  }
  return { network: readNetworkFile(readFileSync(from), from), origin: `network of ${from}` }
}

/** The last finished cycle of each checkpoint's strategy and trial decides: by labels, then by the main measure. */
const bestOf: ChooseCheckpoint = (fitting, run) => {
  const cycles = cyclesOf(run)
  const standing = (place: CheckpointPlace): [labels: number, value: number] => {
    const last = lastOf(cycles, place)
    return last === undefined ? [0, 0] : [last.labels, mainValue(last.metrics)]
  }
  return fitting.reduce((best, place) => {
    const [[labels, value], [mostLabels, highest]] = [standing(place), standing(best)]
    return labels > mostLabels || (labels === mostLabels && value > highest) ? place : best
  })
}

/** What a trained network's last cycle came to, in brackets; empty where that is not on record. */
function figuresOf(from: string, place: Pick<CycleRecord, "strategy" | "trial" | "cycle">): string {
  const last = lastOf(cyclesOf(from), place)
  if (last?.cycle !== place.cycle) return ""
  const value = formatPercent(mainValue(last.metrics))
  return ` (${formatCount(last.labels)} labels, test ${measureOf([last]).title} ${value})`
}

function cyclesOf(run: string): readonly CycleRecord[] {
  return openRecordFile<CycleRecord>(join(run, runFiles.cycles), cycleRecordSchema).records
}

function lastOf(
  cycles: readonly CycleRecord[],
  { strategy, trial }: Pick<CheckpointPlace, "strategy" | "trial">,
): CycleRecord | undefined {
  return cycles.findLast((record) => record.strategy === strategy && record.trial === trial)
}
