import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  type CycleRecord,
  type ModelName,
  mainValue,
  type PredictionsRecord,
  type RunConfigInput,
  runConfigSchema,
  type SelectionRecord,
  type StrategyName,
  type TaskName,
} from "@learnloss/contract"
import { createRng } from "@learnloss/engine"
import sharp from "sharp"
import { runFiles } from "../experiments/run-files.ts"
import { contactSheet } from "./contact-sheet.ts"

const classNames = ["T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"]

/** How good a strategy of a made-up run is. */
const gains: Record<StrategyName, number> = {
  random: 0,
  entropy: 0.05,
  "core-set": 0.02,
  "learning-loss": 0.03,
  "learning-loss-mse": 0.01,
  "learning-loss-outputs": 0.06,
}

export interface SyntheticOptions {
  readonly strategies?: readonly StrategyName[]
  readonly trials?: number
  readonly cycles?: number
  readonly seed?: number
  readonly config?: Partial<RunConfigInput>
  readonly hasPictures?: boolean
  /** Made-up figures of this task; classification where it is left out. */
  readonly task?: TaskName
}

/** What a task's cycle has instead of an accuracy. */
const metricsOf = {
  classification: (accuracy) => ({ accuracy }),
  detection: (mAP) => ({
    ...{ mAP, mAP07: mAP * 0.98, averagePrecisionPerClass: sharesAround(mAP) },
    coco: { mAP: mAP / 2 },
  }),
  pose: (PCKh) => ({
    PCKh,
    PCK: PCKh * 0.9,
    headSizeFrom: "head box",
    pckPerJoint: sharesAround(PCKh),
    PCKh01: 0.125,
    oks: null,
  }),
} as const satisfies Record<TaskName, (value: number) => CycleRecord["metrics"]>

/** A network of each task. */
const networkOf = {
  classification: "cnn4",
  detection: "ssd-mobile",
  pose: "hourglass",
} as const satisfies Record<TaskName, ModelName>

/** A share for each class but the last, which was not measured. */
function sharesAround(value: number): (number | null)[] {
  return [...classNames.slice(1).map((_, index) => Math.min(1, value * (0.8 + index / 20))), null]
}

/** A cycle record with everything but the fields a test is about made up. */
export function cycleRecord(fields: Partial<Omit<CycleRecord, "metrics">> & { accuracy: number }): CycleRecord {
  const { accuracy, ...rest } = fields
  return {
    strategy: "random",
    trial: 1,
    cycle: 1,
    labels: 100,
    metrics: { accuracy },
    lossModule: "none",
    rankingAccuracy: null,
    confidenceRankingAccuracy: 0.9,
    lift: null,
    confidenceLift: 2,
    trainLoss: 0.5,
    testLoss: 0.7,
    trainSeconds: 10,
    dataWaitSeconds: 0.1,
    evaluateSeconds: 2,
    selectSeconds: 1,
    ...rest,
  }
}

/** Writes the folder of a made-up run of learning on a long-tailed pool and returns its path. */
export async function writeSyntheticRun(options: SyntheticOptions = {}): Promise<string> {
  const {
    strategies = ["random", "learning-loss"],
    trials = 3,
    cycles = 5,
    seed = 0,
    hasPictures = false,
    task = "classification",
  } = options
  const folder = mkdtempSync(join(tmpdir(), "learnloss-report-"))
  const config = runConfigSchema.parse({
    name: "synthetic",
    description: "Made-up numbers for looking at a report",
    data: "fashion-mnist",
    pool: { imbalance: 50 },
    model: { name: networkOf[task], width: 16 },
    training: { steps: 600, batch: 64, learningRate: 0.05, schedule: { kind: "cosine" }, startFrom: "fresh" },
    budget: { initial: 500, perCycle: 500, cycles },
    engine: { threads: 2, lowerings: "fixed" },
    strategies: [...strategies],
    trials,
    seed,
    task,
    ...options.config,
  })
  const records = {
    cycles: [] as CycleRecord[],
    selections: [] as SelectionRecord[],
    predictions: [] as PredictionsRecord[],
  }
  for (const strategy of strategies) {
    for (let trial = 1; trial <= trials; trial++) {
      const place = { strategy, trial }
      records.selections.push({ ...place, cycle: 0, ids: ["train/1", "train/2"], scores: null })
      for (let cycle = 1; cycle <= cycles; cycle++)
        await addCycle(
          folder,
          records,
          { ...place, cycle },
          seed,
          cycles,
          hasPictures,
          hasPictures && task !== "classification",
        )
    }
  }
  if (task !== "classification") {
    records.cycles = records.cycles.map((record) => {
      const crowd = 1 + gains[record.strategy] * 5
      const metrics = metricsOf[task](mainValue(record.metrics))
      return { ...record, metrics, labeledObjects: Math.round(record.labels * 3 * crowd) }
    })
  }
  const lines = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join("")
  writeFileSync(join(folder, runFiles.config), JSON.stringify(config, null, 2))
  writeFileSync(
    join(folder, runFiles.network),
    JSON.stringify({
      imageShape: { channels: 1, height: 28, width: 28 },
      classNames,
      normalization: { mean: [0.5], std: [0.5] },
    }),
  )
  writeFileSync(join(folder, runFiles.cycles), lines(records.cycles))
  writeFileSync(join(folder, runFiles.selections), lines(records.selections))
  writeFileSync(join(folder, runFiles.predictions), lines(records.predictions))
  return folder
}

async function addCycle(
  folder: string,
  records: { cycles: CycleRecord[]; selections: SelectionRecord[]; predictions: PredictionsRecord[] },
  place: { strategy: StrategyName; trial: number; cycle: number },
  seed: number,
  cycles: number,
  hasPictures: boolean,
  findsObjects: boolean,
): Promise<void> {
  const { strategy, trial, cycle } = place
  const rng = createRng(seed).child(`${strategy}/${trial}/${cycle}`)
  const isModule = strategy.startsWith("learning-loss")
  const gain = (gains[strategy] * (cycle - 1)) / cycles
  const targetLoss = Array.from({ length: 600 }, () => Math.exp(2.2 * rng.normal() - 2.5))
  records.cycles.push({
    ...cycleRecord({ accuracy: 0.58 + 0.22 * (1 - 0.6 ** cycle) + gain + 0.012 * rng.normal() }),
    ...place,
    labels: 500 * cycle,
    lossModule: isModule ? "joint" : "none",
    rankingAccuracy: isModule ? 0.88 - 0.2 * 0.7 ** cycle + 0.01 * rng.normal() : null,
    confidenceRankingAccuracy: 0.93 - 0.1 * 0.7 ** cycle + 0.005 * rng.normal(),
    lift: isModule ? 2.5 + 0.2 * cycle + 0.1 * rng.normal() : null,
    confidenceLift: 3 + 0.3 * cycle + 0.1 * rng.normal(),
    labelsPerClass: classNames.map((_, index) =>
      Math.round((cycle * 500 * 0.32 * 0.68 ** ((index * 7) % 10)) ** (1 - gains[strategy] * 3)),
    ),
    trainSeconds: 21 + rng.float(),
    evaluateSeconds: 2.2 + rng.float() / 5,
    selectSeconds: cycle === cycles ? null : 4 + rng.float(),
  })
  if (findsObjects && cycle === cycles) {
    const drawn = await sharp({ create: { width: 1110, height: 60, channels: 3, background: "#abc" } })
      .png()
      .toBuffer()
    mkdirSync(join(folder, runFiles.found), { recursive: true })
    writeFileSync(join(folder, runFiles.found, `${strategy}-trial${trial}-cycle${cycle}.png`), drawn)
  }
  records.predictions.push({
    ...place,
    ids: targetLoss.map((_, index) => `test/${index}`),
    predictedLoss: isModule ? targetLoss.map((loss) => 0.4 * Math.log(loss) + 0.5 * rng.normal()) : null,
    targetLoss,
  })
  if (cycle === cycles) return
  const scores = strategy === "random" ? null : Array.from({ length: 500 }, (_, index) => 3 - index / 200)
  records.selections.push({
    ...place,
    cycle,
    ids: Array.from({ length: 500 }, (_, index) => `train/${cycle}-${index}`),
    scores,
  })
  if (!hasPictures) return
  const shape = { channels: 1, height: 28, width: 28 }
  const picked = Array.from({ length: 24 }, (_, index) => ({
    id: `train/${index}`,
    label: classNames[rng.integer(10)] ?? "",
    score: scores?.[index] ?? null,
    pixels: Uint8Array.from({ length: 784 }, (_, pixel) =>
      Math.hypot((pixel % 28) - 14, pixel / 28 - 14) < 4 + index / 3 ? 230 : 20,
    ),
  }))
  mkdirSync(join(folder, runFiles.picked), { recursive: true })
  const name = `${strategy}-trial${trial}-cycle${cycle}.png`
  writeFileSync(join(folder, runFiles.picked, name), await contactSheet(picked, shape))
}
