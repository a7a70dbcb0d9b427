import { InternalError } from "@learnloss/engine"
import { openDataset, resolveEngine, runTrial, shapePool } from "@learnloss/learn"
import type { CommandIo } from "../cli/io.ts"
import { contactSheet } from "../report/contact-sheet.ts"
import type { ExperimentParts } from "./parts.ts"

/** The parts that real experiments are put together from. */
export function createExperimentParts(_io: CommandIo): ExperimentParts {
  return {
    openDataset,
    fetchDataset: async () => {
      throw new InternalError("not written yet")
    },
    shapePool,
    resolveEngine,
    runTrial,
    drawPicked: contactSheet,
    // Charts take a moment to load and are wanted at the end.
    writeReport: async (folders) => (await import("../report/write-report.ts")).writeReport(folders),
  }
}
