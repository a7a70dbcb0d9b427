import { resolve } from "node:path"
import type { FitSettings } from "@learnloss/contract"
import { atomicWrite, createRng, describePlacement, LearnlossError, requireDevice } from "@learnloss/engine"
import {
  type ClassificationDataset,
  cacheNotice,
  type FitMeasures,
  type FitStart,
  fitNetwork,
  normalizationPerChannel,
  openDataset,
  requireClassification,
  type StepReport,
  stepsToFit,
} from "@learnloss/learn"
import { requireWritable } from "../cli/require-writable.ts"
import { fitFolder, keepSettings, removeFitFolder, settingsToGoOnWith } from "./fit-folder.ts"
import { openStepLog, type StepLog } from "./step-log.ts"

export interface RunFitOptions {
  /** File that the trained network is written to. */
  readonly out: string
  /** File of one JSON line a step. */
  readonly log?: string
  readonly signal: AbortSignal
  readonly onRead: (done: number, total: number) => void
  readonly onDefect: (defect: { readonly file: string; readonly reason: string }) => void
  /** Told how many products were measured, before the start. */
  readonly onMeasure?: (done: number, total: number) => void
  readonly onStart: (start: FitStart, steps: number) => void
  /** Told once, before the first step, what a person should know. */
  readonly onNotice: (text: string) => void
  readonly onStep: (report: StepReport, steps: number) => void
  readonly onEvaluate: (done: number, total: number) => void
}

/** What a fit came to. */
export interface FitOutcome {
  readonly out: string
  readonly steps: number
  readonly measures: FitMeasures
}

/**
 * Trains a network from a file and writes it, with its loss module, to another. What was interrupted goes on when it is
 * started again with the same settings.
 *
 * @throws LearnlossError `FILE_NOT_WRITTEN` before anything is done for a place that cannot be written, `NORMALIZATION`,
 * `FIT_SETTINGS_CHANGED`, and what reading data, opening the network and training throw
 */
export async function runFit(given: FitSettings, options: RunFitOptions): Promise<FitOutcome> {
  const { out, signal } = options
  // Told now and not after hours of training.
  requireWritable("--out", out)
  if (options.log !== undefined) requireWritable("--log", options.log)
  requireOther(given.onnx, out)
  await requireDevice(given.device, "--device")
  const folder = fitFolder(out)
  const settings = settingsToGoOnWith(folder, given)
  const opened = await openDataset(settings.data, {
    imageSize: settings.imageSize,
    rng: createRng(settings.seed).child("data"),
    signal,
    onProgress: options.onRead,
    onDefect: options.onDefect,
  })
  const dataset = withNormalization(requireClassification(opened, "fit"), settings)
  const steps = stepsToFit(settings, dataset.train.ids.length)
  let log: StepLog | undefined
  try {
    const { measures, model } = await fitNetwork(settings, {
      dataset,
      steps,
      checkpointFolder: folder,
      signal,
      onStart(start) {
        keepSettings(folder, settings, start.plan)
        if (options.log !== undefined) log = openStepLog(options.log, start.fromStep)
        options.onStart(start, steps)
        if (start.placement !== null) options.onNotice(describePlacement(start.placement))
        const { mean, std } = dataset.normalization
        const shown = (values: readonly number[]) => values.map((value) => Number(value.toFixed(4))).join(",")
        options.onNotice(
          `Images are normalised with mean ${shown(mean)} and std ${shown(std)}: --mean and --std change it.`,
        )
        const large = cacheNotice(start.network.model, dataset, settings.augment)
        if (large !== undefined) options.onNotice(large)
      },
      onStep(report) {
        const { step, loss, lossPrediction, learningRate } = report
        log?.write({ step, loss, lossPrediction, learningRate })
        options.onStep(report, steps)
      },
      onEvaluate: options.onEvaluate,
      onNotice: options.onNotice,
      ...(options.onMeasure && { onMeasure: options.onMeasure }),
    })
    atomicWrite(out, model)
    removeFitFolder(folder)
    return { out, steps, measures }
  } catch (error) {
    // Going on from there would only lead there again.
    if (error instanceof LearnlossError && error.code === "LOSS_NOT_FINITE") removeFitFolder(folder)
    throw error
  } finally {
    log?.close()
  }
}

/** The file that training starts from is often the only copy, and runs of it know it by its content. */
function requireOther(onnx: string, out: string): void {
  if (resolve(out) !== resolve(onnx)) return
  throw new LearnlossError("FILE_NOT_WRITTEN", {
    where: `--out ${out}`,
    expected: "another file than the network that training starts from",
    got: "the same",
    fix: "Choose another --out.",
  })
}

function withNormalization(dataset: ClassificationDataset, { normalization }: FitSettings): ClassificationDataset {
  if (normalization === null) return dataset
  return { ...dataset, normalization: normalizationPerChannel(normalization, dataset.imageShape.channels) }
}
