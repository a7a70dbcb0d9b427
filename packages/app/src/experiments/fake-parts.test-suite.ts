import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type CycleRecord, cycleRecordSchema, type SelectionRecord, timingFields } from "@learnloss/contract"
import type { AnyDataset, ClassificationDataset, SampleSet, TrialOptions } from "@learnloss/learn"
import { interrupted } from "./interruption.ts"
import type { ExperimentParts } from "./parts.ts"
import { openRecordFile } from "./record-file.ts"
import { describeReport, reportFiles } from "./report-state.ts"
import type { ExperimentOptions } from "./run-experiment.ts"
import { runFiles } from "./run-files.ts"

/** Black images of 1 x 1 pixel, enough for parts that never look at them. */
export function fakeDataset(trainCount = 60, testCount = 20): ClassificationDataset {
  return {
    name: "fake",
    imageShape: { channels: 1, height: 1, width: 1 },
    classNames: ["even", "odd"],
    normalization: { mean: [0.5], std: [0.5] },
    train: samples("train", trainCount),
    test: samples("test", testCount),
  }
}

function samples(split: string, count: number): SampleSet<number> {
  const ids = Array.from({ length: count }, (_, index) => `${split}/${String(index).padStart(5, "0")}`)
  return { ids, targets: ids.map((_, index) => index % 2), image: () => new Uint8Array(1) }
}

export interface FakeTrialOptions {
  /** Waits between steps, so that a kill can come in between. */
  readonly stepMs?: number
  /** Leaves what a detector would have found. */
  readonly finds?: boolean
}

/**
 * Trains nothing, but like the real loop it goes on after what is on record, and what it picks depends on everything
 * picked before: a record lost or doubled changes all later lines.
 */
export function createFakeTrial({ stepMs = 0, finds = false }: FakeTrialOptions = {}): ExperimentParts["runTrial"] {
  return async (options) => {
    const { config, recorder, strategy, trial, dataset, signal, emit } = options
    const { initial, perCycle, cycles } = config.budget
    let selections: readonly SelectionRecord[] = recorder.finished.selections
    if (selections.length === 0) {
      const first: SelectionRecord = {
        strategy,
        trial,
        cycle: 0,
        ids: pick(dataset, [], initial, `${config.seed}/${trial}`),
        scores: null,
      }
      recorder.recordInitial(first)
      selections = [first]
    }
    for (let cycle = recorder.finished.cycles.length + 1; cycle <= cycles; cycle++) {
      const labelled = selections.flatMap(({ ids }) => ids)
      const place = { strategy, trial, cycle }
      const steps = config.training.steps ?? 1
      const shared = cycle === 1 ? recorder.shared : undefined
      const fromStep = shared === undefined ? 0 : steps
      emit({
        type: "cycle-started",
        ...place,
        labels: labelled.length,
        steps,
        fromStep,
        lossModule: "none",
        sharedWith: shared?.record.strategy,
      })
      for (let step = fromStep + 1; step <= steps; step++) {
        if (stepMs > 0) await new Promise((resolve) => setTimeout(resolve, stepMs))
        if (signal.aborted) throw interrupted("fake training")
        emit({
          type: "step",
          ...place,
          step,
          steps,
          loss: 1 / step,
          lossPrediction: null,
          learningRate: 0.1,
          imagesPerSecond: 1000,
        })
      }
      const next = pick(dataset, labelled, perCycle, `${strategy}/${trial}/${labelled.join()}`)
      const selection =
        cycle === cycles ? null : { ...place, ids: next, scores: next.map((_, index) => 1 / (index + 1)) }
      const record =
        shared === undefined
          ? fakeRecord(options, cycle, labelled)
          : { ...shared.record, ...place, sharedWith: shared.record.strategy }
      recorder.recordCycle({
        record,
        selection,
        predictions: {
          ...place,
          ids: ["test/00000"],
          predictedLoss: null,
          targetLoss: [0.5],
          ...(finds
            ? { found: [{ id: "test/00000", objects: [{ classIndex: 1, score: 0.5, box: [0, 0, 1, 1] as const }] }] }
            : {}),
        },
        picked: (selection?.ids ?? [])
          .slice(0, 3)
          .map((id) => ({ id, label: "even", score: 1, pixels: new Uint8Array(1) })),
      })
      emit({ type: "cycle-finished", ...place, record })
      if (selection !== null) selections = [...selections, selection]
    }
  }
}

function fakeRecord({ strategy, trial }: TrialOptions, cycle: number, labelled: readonly string[]): CycleRecord {
  return {
    strategy,
    trial,
    cycle,
    labels: labelled.length,
    metrics: { accuracy: share(labelled.join()), recallPerClass: [0.5, null] },
    lossModule: "none",
    rankingAccuracy: null,
    confidenceRankingAccuracy: share(`${strategy}${labelled.join()}`),
    lift: null,
    confidenceLift: 1.5,
    trainLoss: 0.25,
    testLoss: 0.5,
    trainSeconds: performance.now() / 1000,
    dataWaitSeconds: 0,
    evaluateSeconds: performance.now() / 2000,
    selectSeconds: null,
  }
}

function pick(dataset: AnyDataset, labelled: readonly string[], count: number, seed: string): string[] {
  const taken = new Set(labelled)
  const free = dataset.train.ids.filter((id) => !taken.has(id))
  const keys = new Map(free.map((id) => [id, share(seed + id)]))
  return free.toSorted((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0)).slice(0, count)
}

/** A number in [0, 1) that looks random and is the same for the same text. */
function share(text: string): number {
  return createHash("sha256").update(text).digest().readUInt32LE(0) / 2 ** 32
}

/** Options of an experiment that says nothing and takes milliseconds; single ones can be replaced. */
export function quietOptions(folder: string, replaced: Partial<ExperimentOptions> = {}): ExperimentOptions {
  return {
    folder,
    parts: fakeParts(),
    signal: new AbortController().signal,
    say() {},
    announce() {},
    watch: () => ({ say() {}, show() {}, close() {} }),
    ...replaced,
  }
}

/** Parts of an experiment that takes milliseconds; single ones can be replaced. */
export function fakeParts(replaced: Partial<ExperimentParts> = {}): ExperimentParts {
  return {
    openDataset: async () => fakeDataset(),
    fetchDataset: async () => {},
    shapePool: (dataset) => dataset,
    requireDevice: async () => {},
    resolveRun: async (config) => {
      const jobs = config.engine.jobs === "measured" ? 1 : config.engine.jobs
      return { ...config, engine: { ...config.engine, jobs, threads: 2, lowerings: "fixed" } }
    },
    runTrial: createFakeTrial(),
    drawPicked: async () => new Uint8Array([1, 2, 3]),
    drawFound: async () => new Uint8Array([4, 5, 6]),
    writeReport: async ([folder = ""]) => {
      const { records } = openRecordFile(join(folder, runFiles.cycles), cycleRecordSchema)
      for (const name of reportFiles) writeFileSync(join(folder, name), "a report")
      return describeReport(folder, records)
    },
    ...replaced,
  }
}

/** Settings of a run that `fakeParts` can do, as a file in a folder. */
export function writeFakeSettings(folder: string): string {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, "fake.yaml")
  const settings = {
    data: "shapes",
    model: { name: "cnn4", width: 4 },
    training: { steps: 3, batch: 4 },
    budget: { initial: 10, perCycle: 5, cycles: 3 },
    strategies: ["random", "entropy"],
    trials: 2,
  }
  writeFileSync(file, JSON.stringify(settings))
  return file
}

/** What a run recorded, without what differs from one machine and hour to the next. */
export function recordsOf(folder: string): Record<string, string> {
  const untimed = (line: string): string => {
    const record = JSON.parse(line) as Record<string, unknown>
    for (const field of timingFields) record[field] = 0
    return JSON.stringify(record)
  }
  const read = (name: string): string => readFileSync(join(folder, name), "utf8")
  return {
    cycles: read(runFiles.cycles).trimEnd().split("\n").map(untimed).join("\n"),
    selections: read(runFiles.selections),
    predictions: read(runFiles.predictions),
  }
}
