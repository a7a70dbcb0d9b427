import { requireDevice } from "@learnloss/engine"
import { openDataset, resolveRun, runTrial, shapePool } from "@learnloss/learn"
import { createFetchProgress } from "../cli/fetch-progress.ts"
import type { CommandIo } from "../cli/io.ts"
import { fetchDataset } from "../data/fetch-dataset.ts"
import type { FetchEvent } from "../data/source.ts"
import { drawFound } from "../report/draw-found.ts"
import { drawPicked } from "../report/draw-picked.ts"
import type { ExperimentParts } from "./parts.ts"

/** The parts that real experiments are put together from. */
export function createExperimentParts(io: CommandIo): ExperimentParts {
  return {
    openDataset,
    fetchDataset: async (name) => {
      const progress = createFetchProgress(io)
      const onProgress = quietUntilBytes((event) => progress.show(event))
      try {
        const { source, folder } = await fetchDataset(name, { signal: io.signal, onProgress })
        if (source !== null) io.stderr(`${name}: fetched from ${source}, in ${folder}\n`)
      } finally {
        progress.close()
      }
    },
    shapePool,
    requireDevice,
    resolveRun,
    runTrial,
    drawPicked,
    drawFound,
    // Charts take a moment to load and are wanted at the end.
    writeReport: async (folders) => (await import("../report/write-report.ts")).writeReport(folders),
  }
}

/** Holds news back until something arrives: a run that falls back to other data says that before all else. */
function quietUntilBytes(show: (event: FetchEvent) => void): (event: FetchEvent) => void {
  const held: FetchEvent[] = []
  let isShown = false
  return (event) => {
    if (!isShown) held.push(event)
    else show(event)
    if (isShown || event.type !== "bytes") return
    isShown = true
    held.forEach(show)
  }
}
