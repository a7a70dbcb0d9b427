import type { CycleRecord, PredictionsRecord, StrategyName } from "@learnloss/contract"
import { phaseColours, strategyColours } from "./chart-style.ts"
import type { ChartSize } from "./charts.ts"
import type { ChartSpec } from "./render-svg.ts"
import { spread } from "./statistics.ts"
import { strategiesIn } from "./summary.ts"

/** More points than this hide each other and make the page heavy. */
const mostPoints = 500

/** Predicted against target loss of one strategy's test images in the last cycle of its first trial. */
export interface PredictionScatter {
  readonly strategy: StrategyName
  readonly trial: number
  readonly cycle: number
  /** Smaller target losses are drawn at this one; null on a linear axis. */
  readonly floor: number | null
  readonly spec: ChartSpec
}

/** A scatter plot for each strategy whose loss module made predictions. */
export function predictionScatters(
  predictions: readonly PredictionsRecord[],
  { width, height }: ChartSize,
): PredictionScatter[] {
  return strategiesIn(predictions).flatMap((strategy): PredictionScatter[] => {
    const own = predictions.filter((record) => record.strategy === strategy && record.predictedLoss !== null)
    const trial = Math.min(...own.map((record) => record.trial))
    const last = own.filter((record) => record.trial === trial).sort((a, b) => b.cycle - a.cycle)[0]
    if (last === undefined) return []
    const count = Math.min(mostPoints, last.targetLoss.length)
    const points = Array.from({ length: count }, (_, index) => {
      const position = Math.floor((index * last.targetLoss.length) / count)
      return { target: last.targetLoss[position] ?? 0, predicted: last.predictedLoss?.[position] ?? 0 }
    })
    const floor = logFloor(points.map((point) => point.target))
    const spec: ChartSpec = {
      width,
      height,
      data: {
        values: points.map(({ target, predicted }) => ({ predicted, target: Math.max(target, floor ?? target) })),
      },
      mark: { type: "point", filled: true, size: 26, opacity: 0.45, color: strategyColours[strategy] },
      encoding: {
        x: {
          field: "predicted",
          type: "quantitative",
          title: "predicted loss (scale of the module)",
          scale: { zero: false, nice: true, padding: 6 },
          axis: { tickCount: 5, grid: false },
        },
        y: {
          field: "target",
          type: "quantitative",
          title: floor === null ? "target loss" : "target loss (log scale)",
          scale: floor === null ? { zero: true } : { type: "log", domain: [floor, floor * 1e5], padding: 6 },
          axis: { format: "~g", ...(floor === null ? { tickCount: 5 } : { values: powersFrom(floor) }) },
        },
      },
    }
    return [{ strategy, trial, cycle: last.cycle, floor, spec }]
  })
}

/**
 * The smallest loss a log axis shows, or null where a linear axis does. Losses of a trained network crowd near zero, so
 * that a linear axis would show a few outliers above a flat line.
 */
function logFloor(losses: readonly number[]): number | null {
  const sorted = losses.toSorted((a, b) => a - b)
  const median = sorted[sorted.length >> 1] ?? 0
  const largest = sorted.at(-1) ?? 0
  if (largest <= 0 || median * 10 > largest) return null
  return Number(`1e${Math.floor(Math.log10(largest)) - 4}`)
}

function powersFrom(floor: number): number[] {
  return Array.from({ length: 6 }, (_, power) => Number((floor * 10 ** power).toPrecision(1)))
}

const phases = { train: "trainSeconds", evaluate: "evaluateSeconds", select: "selectSeconds" } as const

/** Seconds of each cycle, mean over trials, a small chart for each strategy, two in a row. */
export function timesChart(cycles: readonly CycleRecord[], { width, height }: ChartSize): ChartSpec {
  const names = Object.keys(phases) as (keyof typeof phases)[]
  const bars = strategiesIn(cycles).flatMap((strategy) => {
    const own = cycles.filter((record) => record.strategy === strategy)
    return [...new Set(own.map((record) => record.cycle))].flatMap((cycle) =>
      names.map((phase, order) => ({
        strategy,
        cycle,
        phase,
        order,
        seconds: spread(own.filter((each) => each.cycle === cycle).map((each) => each[phases[phase]] ?? 0))?.mean ?? 0,
      })),
    )
  })
  const rows = Math.ceil(strategiesIn(cycles).length / 2)
  const most = Math.max(...cycles.map((record) => record.cycle))
  return {
    data: { values: bars },
    facet: { field: "strategy", type: "nominal", title: null, sort: strategiesIn(cycles) },
    columns: 2,
    spacing: 18,
    spec: {
      width: width / 2 - 12,
      height: Math.max(80, (height - 60 * (rows - 1)) / rows),
      mark: { type: "bar", width: { band: 0.8 } },
      encoding: {
        x: {
          field: "cycle",
          type: "ordinal",
          axis: { labelAngle: 0, values: Array.from({ length: most }, (_, index) => index + 1).filter(isShown(most)) },
        },
        y: { field: "seconds", type: "quantitative", title: "seconds", axis: { tickCount: 4 } },
        color: {
          field: "phase",
          type: "nominal",
          scale: { domain: names, range: names.map((phase) => phaseColours[phase]) },
        },
        order: { field: "order" },
      },
    },
  }
}

function isShown(most: number): (cycle: number) => boolean {
  const step = Math.ceil(most / 10)
  return (cycle) => (cycle - 1) % step === 0
}
