import {
  compileTrainStep,
  fixedPlan,
  floatTensor,
  initializeParameters,
  LearnlossError,
  type Rng,
  type TensorMap,
  type TrainStep,
} from "@learnloss/engine"
import { BatchStream } from "../data/batch-stream.ts"
import type { FeatureBlock } from "../frozen/frozen-network.ts"
import { throwIfAborted } from "../training/interruption.ts"
import { rankingAccuracy } from "../training/ranking-metrics.ts"
import { type FeatureRows, measureScaling, type Scaling, standardized } from "./feature-rows.ts"
import { buildModuleTraining, type FrozenTraining, featuresInput, targetInput } from "./module-graph.ts"
import { scoreRows } from "./score-rows.ts"

/** A trained module and what it needs to read features. */
export interface TrainedModule {
  readonly blocks: readonly FeatureBlock[]
  readonly scaling: Scaling
  readonly weights: TensorMap
  /** The settings that were chosen. */
  readonly training: FrozenTraining
}

export interface TrainModuleOptions {
  readonly rows: FeatureRows
  readonly blocks: readonly FeatureBlock[]
  /** Target loss of each row. */
  readonly losses: Float32Array
  /** Rows to train on; no other is looked at. */
  readonly positions: readonly number[]
  readonly rng: Rng
  readonly threads: number
  readonly signal: AbortSignal
  /** Steps of all trainings, the choice of settings included. */
  readonly onStep?: (done: number, total: number) => void
}

const common = { width: 64, margin: 1, momentum: 0.9 } as const

/**
 * Tried on a part of the training rows: few losses on wide features need restraint, many bear less. The first is taken
 * where there are too few rows to compare.
 */
const candidates: readonly FrozenTraining[] = [
  { ...common, learningRate: 0.02, weightDecay: 0.1 },
  { ...common, learningRate: 0.02, weightDecay: 0.3 },
  { ...common, learningRate: 0.02, weightDecay: 0.01 },
  { ...common, learningRate: 0.004, weightDecay: 0.1 },
]
const leastRowsToCompare = 40

/** Rows of a step; a batch has half as many pairs as its square. */
const fullBatch = 128

/** Every row is seen about twenty times, within bounds that keep training below a minute; more only teaches few rows by heart. */
function stepsFor(rows: number): number {
  return Math.min(2000, Math.max(120, Math.ceil((20 * rows) / fullBatch)))
}

/**
 * Trains the loss module on features of a frozen network. Settings are chosen by how well they rank parts of the training
 * rows that were left out for it; the module is then trained on all training rows.
 *
 * @throws LearnlossError `INTERRUPTED`, `LOSS_NOT_FINITE`
 */
export async function trainModule(options: TrainModuleOptions): Promise<TrainedModule> {
  const { blocks, positions, rng } = options
  const scaling = measureScaling(options.rows, positions)
  const rows = standardized(options.rows, scaling, positions)
  const folds = foldsOf(positions, rng.child("folds"))
  const trainings = folds.length * candidates.length + 1
  const steps = stepsFor(positions.length)
  let done = 0
  const onStep = () => options.onStep?.(++done, trainings * steps)
  const train = { ...options, rows, steps, onStep }

  let best = candidates[0] as FrozenTraining
  let bestAccuracy = Number.NEGATIVE_INFINITY
  for (const training of folds.length === 0 ? [] : candidates) {
    let sum = 0
    const session = await openStep(options, training, positions.length - longest(folds))
    try {
      for (const [index, fold] of folds.entries()) {
        const leftOut = new Set(fold)
        const others = positions.filter((position) => !leftOut.has(position))
        const weights = await trainOnce(session, { ...train, positions: others, rng: rng.child(`fold/${index}`) })
        sum += await accuracyOf({ ...options, rows, positions: fold }, training, weights)
      }
    } finally {
      await session.step.release()
    }
    // A tie goes to the setting that stands first.
    if (sum / folds.length > bestAccuracy) {
      bestAccuracy = sum / folds.length
      best = training
    }
  }
  const session = await openStep(options, best, positions.length)
  try {
    return { blocks, scaling, training: best, weights: await trainOnce(session, { ...train, rng: rng.child("final") }) }
  } finally {
    await session.step.release()
  }
}

/** Four parts that are left out in turn where losses are few, one where a single one says enough. */
function foldsOf(positions: readonly number[], rng: Rng): readonly (readonly number[])[] {
  if (positions.length < leastRowsToCompare) return []
  const shuffled = rng.shuffle(positions)
  const count = positions.length < 1000 ? 4 : 1
  const size = Math.floor(positions.length / (count === 1 ? 5 : count))
  return Array.from({ length: count }, (_, index) => shuffled.slice(index * size, (index + 1) * size))
}

function longest(folds: readonly (readonly number[])[]): number {
  return Math.max(0, ...folds.map((fold) => fold.length))
}

interface OpenStep {
  readonly step: TrainStep
  readonly batch: number
  readonly specs: Parameters<typeof initializeParameters>[0]
}

async function openStep(
  { rows, blocks, threads }: TrainModuleOptions,
  training: FrozenTraining,
  count: number,
): Promise<OpenStep> {
  const batch = Math.min(fullBatch, count)
  const spec = buildModuleTraining({ batch, columns: rows.width, blocks }, training)
  return { step: await compileTrainStep(spec, fixedPlan, { threads }), batch, specs: spec.network.specs }
}

async function trainOnce(
  { step, batch, specs }: OpenStep,
  {
    rows,
    losses,
    positions,
    rng,
    steps,
    signal,
    onStep,
  }: Omit<TrainModuleOptions, "onStep"> & { readonly steps: number; readonly onStep: () => void },
): Promise<TensorMap> {
  await step.load({ parameters: initializeParameters(specs, rng.child("weights")), optimizer: new Map() })
  const stream = new BatchStream(positions.length, batch, rng.child("order"))
  const features = new Float32Array(batch * rows.width)
  const targets = new Float32Array(batch)
  for (let number = 0; number < steps; number++) {
    throwIfAborted(signal, "training the loss module")
    const chosen = stream.positions(number).map((place) => positions[place] as number)
    rows.read(chosen, features)
    for (const [index, position] of chosen.entries()) targets[index] = losses[position] as number
    const feeds = {
      [featuresInput]: floatTensor([batch, rows.width], features),
      [targetInput]: floatTensor([batch], targets),
    }
    const { loss, learningRate } = await step.run(feeds, number / steps)
    if (!Number.isFinite(loss)) throw notFinite(loss, learningRate, number)
    onStep()
  }
  return (await step.state()).parameters
}

async function accuracyOf(
  { rows, blocks, losses, positions, threads, signal }: TrainModuleOptions,
  { width }: FrozenTraining,
  weights: TensorMap,
): Promise<number> {
  const scores = await scoreRows({ rows, blocks, width, weights, positions, threads, signal })
  // Where no two losses differ nothing is ranked wrongly.
  return (
    rankingAccuracy(
      scores,
      positions.map((position) => losses[position] as number),
    ) ?? 0.5
  )
}

function notFinite(loss: number, learningRate: number, step: number): LearnlossError {
  return new LearnlossError("LOSS_NOT_FINITE", {
    where: `training the loss module, step ${step + 1}`,
    expected: "a finite loss",
    got: `${loss} at learning rate ${learningRate}`,
    fix: "Look for losses of enormous size in the CSV file.",
  })
}
