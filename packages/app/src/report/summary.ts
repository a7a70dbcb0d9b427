import {
  type CycleRecord,
  type MainMeasure,
  mainMeasureIn,
  mainMeasures,
  mainValue,
  type StrategyName,
  strategyNames,
} from "@learnloss/contract"
import {
  areaUnderBudgetCurve,
  type CurvePoint,
  labelsToReach,
  type PairedDifference,
  pairedDifference,
  type Spread,
  spread,
} from "./statistics.ts"

/** How many labels a strategy saves, or wastes, for the same value as random (on the mean curves). */
export interface LabelSaving {
  /** Labels that random needs for the strategy's final value; null when its curve stays below. */
  readonly randomLabels: number | null
  /** Labels that the strategy needs for random's final value; null when its curve stays below. */
  readonly strategyLabels: number | null
}

/** A strategy against random in the trials that both finished. */
export interface AgainstRandom {
  readonly finalValue: PairedDifference | null
  readonly aubc: PairedDifference | null
  readonly labelSaving: LabelSaving
}

/** What a strategy came to, over the trials that went through all cycles. */
export interface StrategySummary {
  readonly strategy: StrategyName
  readonly finishedTrials: number
  /** Trials that stand at an earlier cycle; they are left out of everything here. */
  readonly unfinishedTrials: number
  /** Of the main measure. */
  readonly finalValue: Spread | null
  /** Area under the budget curve, see {@link areaUnderBudgetCurve}. */
  readonly aubc: Spread | null
  /** Of the last cycle; null without a loss module. */
  readonly rankingAccuracy: Spread | null
  readonly confidenceRankingAccuracy: Spread | null
  /** Null for random itself, and where random has finished no trial. */
  readonly againstRandom: AgainstRandom | null
}

/** What a run came to. */
export interface RunSummary {
  /** What all values are of. */
  readonly measure: MainMeasure
  /** Label counts at which networks were trained, ascending. */
  readonly labels: readonly number[]
  readonly finalLabels: number
  /** In the order of `strategyNames`. */
  readonly strategies: readonly StrategySummary[]
}

/** The cycles of one strategy in one trial, by labels. */
type Trajectory = readonly CycleRecord[]

/** Label counts that occur in some records, ascending. */
export function labelCounts(cycles: readonly CycleRecord[]): number[] {
  return [...new Set(cycles.map((record) => record.labels))].sort((a, b) => a - b)
}

/** Strategies that occur in some records, in the order of `strategyNames`. */
export function strategiesIn(records: readonly { readonly strategy: StrategyName }[]): StrategyName[] {
  const present = new Set(records.map((record) => record.strategy))
  return strategyNames.filter((name) => present.has(name))
}

/** What the task of some cycles is judged by; of none it makes no difference. */
export function measureOf(cycles: readonly Pick<CycleRecord, "metrics">[]): MainMeasure {
  return mainMeasureIn(cycles[0]?.metrics ?? {}) ?? mainMeasures.classification[0]
}

/** Sums up the cycles of a run, finished or not. */
export function summarize(cycles: readonly CycleRecord[]): RunSummary {
  const labels = labelCounts(cycles)
  const finishedOf = new Map<StrategyName, Map<number, Trajectory>>()
  const rest = new Map<StrategyName, number>()
  for (const strategy of strategiesIn(cycles)) {
    const own = cycles.filter((record) => record.strategy === strategy)
    const byTrial = new Map<number, Trajectory>()
    const trials = [...new Set(own.map((record) => record.trial))].sort((a, b) => a - b)
    for (const trial of trials) {
      const trajectory = own.filter((record) => record.trial === trial).sort((a, b) => a.labels - b.labels)
      if (trajectory.length === labels.length) byTrial.set(trial, trajectory)
    }
    finishedOf.set(strategy, byTrial)
    rest.set(strategy, trials.length - byTrial.size)
  }
  const random = finishedOf.get("random")
  const strategies = [...finishedOf].map(([strategy, finished]): StrategySummary => {
    const trajectories = [...finished.values()]
    const lastCycles = trajectories.flatMap((trajectory) => trajectory.slice(-1))
    return {
      strategy,
      finishedTrials: finished.size,
      unfinishedTrials: rest.get(strategy) ?? 0,
      finalValue: spread(trajectories.map(finalValue)),
      aubc: spread(known(trajectories.map(aubc))),
      rankingAccuracy: spread(known(lastCycles.map((record) => record.rankingAccuracy))),
      confidenceRankingAccuracy: spread(known(lastCycles.map((record) => record.confidenceRankingAccuracy))),
      againstRandom:
        strategy === "random" || finished.size === 0 || random === undefined || random.size === 0
          ? null
          : compare(finished, random),
    }
  })
  return { measure: measureOf(cycles), labels, finalLabels: labels.at(-1) ?? 0, strategies }
}

function compare(finished: ReadonlyMap<number, Trajectory>, random: ReadonlyMap<number, Trajectory>): AgainstRandom {
  const differences = (measure: (trajectory: Trajectory) => number | null): number[] =>
    [...finished].flatMap(([trial, trajectory]) => {
      const partner = random.get(trial)
      const own = measure(trajectory)
      const other = partner === undefined ? null : measure(partner)
      return own === null || other === null ? [] : [own - other]
    })
  const [curve, randomCurve] = [meanCurve([...finished.values()]), meanCurve([...random.values()])]
  return {
    finalValue: pairedDifference(differences(finalValue)),
    aubc: pairedDifference(differences(aubc)),
    labelSaving: {
      randomLabels: labelsToReach(randomCurve, curve.at(-1)?.value ?? 0),
      strategyLabels: labelsToReach(curve, randomCurve.at(-1)?.value ?? 0),
    },
  }
}

function curveOf(trajectory: Trajectory): CurvePoint[] {
  return trajectory.map(({ labels, metrics }) => ({ labels, value: mainValue(metrics) }))
}

function meanCurve(trajectories: readonly Trajectory[]): CurvePoint[] {
  const points = trajectories.flatMap(curveOf)
  return [...new Set(points.map((point) => point.labels))].map((labels) => ({
    labels,
    value: spread(points.filter((point) => point.labels === labels).map((point) => point.value))?.mean ?? 0,
  }))
}

function finalValue(trajectory: Trajectory): number {
  return mainValue(trajectory.at(-1)?.metrics ?? {})
}

function aubc(trajectory: Trajectory): number | null {
  return areaUnderBudgetCurve(curveOf(trajectory))
}

function known(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null)
}
