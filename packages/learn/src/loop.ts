import type { RunConfig, SelectionRecord, StrategyName } from "@learnloss/contract"
import { compileTrainStep, createRng, type Rng, requireRunnablePlan } from "@learnloss/engine"
import type { AnyDataset } from "./data/dataset.ts"
import type { LoopEvent, PickedImage, Place, TrialRecorder } from "./events.ts"
import { examineNetwork } from "./examine.ts"
import { machineOf, openLearner, planOf } from "./resolve-run.ts"
import { scoreCandidates } from "./score.ts"
import type { Int8Fields } from "./scoring/compare.ts"
import { strategies } from "./strategies/strategies.ts"
import { evaluationOf } from "./training/choose-evaluation.ts"
import { buildTraining } from "./training/learner.ts"
import { stepsOfCycle } from "./training/moments.ts"
import { openBatches } from "./training/open-batches.ts"
import { adoptRecords, shareCycle } from "./training/share-cycle.ts"
import { startCycle } from "./training/start-cycle.ts"
import { trainCycle } from "./training/train-cycle.ts"

export interface TrialOptions {
  /** Resolved: `engine.threads` and `engine.lowerings` hold what `resolveRun` chose. */
  readonly config: RunConfig
  /** The pool of this trial; labels are given by its targets when they are asked for. */
  readonly dataset: AnyDataset
  readonly strategy: StrategyName
  /** Counts from 1. */
  readonly trial: number
  readonly recorder: TrialRecorder
  readonly emit: (event: LoopEvent) => void
  /** When it aborts, training saves a checkpoint and the trial ends with an `INTERRUPTED` error. */
  readonly signal: AbortSignal
}

/**
 * Runs all remaining cycles of one strategy in one trial: train, evaluate, draw candidates, score, select, label.
 *
 * Strategies of one trial draw from the same streams: they share the initial set, the first weights, and the order of
 * batches as far as their labels agree. So those that train alike share the first cycle: `recorder.shared` and
 * `recorder.followers` say who goes on from whose.
 *
 * @throws LearnlossError `INTERRUPTED`, `LOSS_NOT_FINITE`, `MODULE_NOT_TRAINED`, and what checkpoints and files throw
 */
export async function runTrial(options: TrialOptions): Promise<void> {
  const { config, dataset, strategy: name, trial, recorder, signal, emit } = options
  const { budget, training } = config
  const strategy = strategies[name]
  const rng = createRng(config.seed).child(`trial/${trial}`)
  const { learner } = await openLearner(config, dataset, name)
  const machine = machineOf(config)
  const { batches, release } = await openBatches({ learner, dataset, augmentation: config.augment, ...machine })
  const spec = buildTraining(learner, training.batch)
  const plan = planOf(config)
  await requireRunnablePlan(plan, machine)
  const trainStep = await compileTrainStep(spec, plan, machine)
  const wholePlan = { ...plan, ...trainStep.plan }
  const { placement } = trainStep
  if (placement !== null) {
    emit({ strategy: name, trial, cycle: recorder.finished.cycles.length + 1, type: "placed", placement })
  }
  const { specs } = spec.network

  try {
    const labeled = new LabeledSet(dataset.train.ids)
    const initial =
      recorder.finished.selections[0]?.ids ?? rng.child("initial").shuffle(dataset.train.ids).slice(0, budget.initial)
    if (recorder.finished.selections.length === 0) {
      recorder.recordInitial({ strategy: name, trial, cycle: 0, ids: [...initial], scores: null })
    }
    labeled.add(initial)
    for (const { ids } of recorder.finished.selections.slice(1)) labeled.add(ids)

    for (let cycle = recorder.finished.cycles.length + 1; cycle <= budget.cycles; cycle++) {
      const place: Place = { strategy: name, trial, cycle }
      const steps = stepsOfCycle(training, labeled.positions.length)
      const cycleRng = rng.child(`cycle/${cycle}`)

      const progress = await startCycle({
        trainStep,
        plan: wholePlan,
        specs,
        checkpointFolder: recorder.checkpointFolder,
        cycle,
        steps,
        startFrom: training.startFrom,
        trialRng: rng,
        cycleRng,
      })
      emit({
        ...place,
        type: "cycle-started",
        labels: labeled.positions.length,
        steps,
        fromStep: progress.step,
        lossModule: learner.strategyTraining.lossModule,
        sharedWith: progress.sharedWith,
      })
      const trained = await trainCycle({
        trainStep,
        plan: wholePlan,
        batches,
        labeled: labeled.positions,
        batch: training.batch,
        progress,
        rng: cycleRng,
        noise: spec.network.noiseInputs,
        checkpointFolder: recorder.checkpointFolder,
        checkpointSeconds: training.checkpointSeconds,
        signal,
        onStep: (report) => emit({ ...place, type: "step", steps, ...report }),
        where: `${name}, trial ${trial}, cycle ${cycle}`,
      })
      const state = await trainStep.state()
      let scoreWaitSeconds = 0
      const onWait = (seconds: number): void => {
        scoreWaitSeconds += seconds
      }
      const network = {
        learner,
        weights: state.parameters,
        batches,
        ...machine,
        ...evaluationOf(config),
        signal,
        onWait,
      }
      // Before this cycle is on record, since from then on the next one takes the place of this checkpoint.
      if (cycle === 1) shareCycle({ state, progress: trained, strategy: name }, recorder.followers ?? [])

      const { sharedWith } = trained
      const examined =
        sharedWith !== undefined && recorder.shared !== undefined
          ? adoptRecords(recorder.shared, place, sharedWith)
          : await examineNetwork({
              ...network,
              dataset,
              place,
              trained,
              labeled: labeled.positions,
              sampleRng: rng.child("predictions"),
              onProgress: (done, total) => emit({ ...place, type: "evaluating", done, total }),
            })

      const isLast = cycle === budget.cycles
      const selecting = performance.now()
      let selection: SelectionRecord | null = null
      let scoring: Int8Fields | undefined
      if (!isLast) {
        const candidates = drawCandidates(labeled.pool, budget.candidates, cycleRng.child("candidates"))
        const { signals, int8 } = await scoreCandidates({
          ...network,
          dataset,
          needs: strategy.needs,
          candidates,
          labeled: labeled.positions,
          precision: config.engine.scoringPrecision,
          selected: budget.perCycle,
          rng: cycleRng.child("int8"),
          onProgress: (done, total) => emit({ ...place, type: "scoring", done, total }),
        })
        scoring = int8
        const { ids, scores } = strategy.select(signals, budget.perCycle, cycleRng.child("select"))
        selection = { ...place, ids: [...ids], scores: scores === null ? null : [...scores] }
        labeled.add(ids)
      }
      const selectSeconds = isLast ? null : (performance.now() - selecting) / 1000
      const record = { ...examined.record, selectSeconds, scoreWaitSeconds, ...scoring }
      recorder.recordCycle({
        record,
        selection,
        predictions: examined.predictions,
        picked: picked(selection),
      })
      emit({ ...place, type: "cycle-finished", record })
    }
  } finally {
    await trainStep.release()
    await release()
  }
}

/** How many of a selection's images are kept for its picture. */
const pickedImages = 24

function picked(selection: SelectionRecord | null): PickedImage[] {
  if (selection === null) return []
  return selection.ids.slice(0, pickedImages).map((id, index) => ({ id, score: selection.scores?.[index] ?? null }))
}

/** Which samples are labelled, in the order in which they were, and which are left. */
class LabeledSet {
  readonly positions: number[] = []
  readonly #positionOf: ReadonlyMap<string, number>
  readonly #left: Set<string>

  constructor(ids: readonly string[]) {
    this.#positionOf = new Map(ids.map((id, position) => [id, position]))
    this.#left = new Set(ids)
  }

  add(ids: readonly string[]): void {
    for (const id of ids) {
      this.#left.delete(id)
      this.positions.push(this.#positionOf.get(id) as number)
    }
  }

  /** Ids of what is not labelled yet, in the data set's order. */
  get pool(): readonly string[] {
    return [...this.#left]
  }
}

/** The random subset of the pool that is scored (M in the paper), or the whole pool. */
function drawCandidates(pool: readonly string[], count: number | null, rng: Rng): readonly string[] {
  return count === null ? pool : rng.shuffle(pool).slice(0, count)
}
