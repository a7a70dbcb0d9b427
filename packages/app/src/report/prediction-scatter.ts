import type { PredictionsRecord, StrategyName } from "@learnloss/contract"
import { strategyColours } from "./chart-style.ts"
import type { ChartSize } from "./charts.ts"
import type { ChartSpec } from "./render-svg.ts"
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

/** A scatter plot for each strategy whose loss module made predictions, all with one axis of target losses. */
export function predictionScatters(
  predictions: readonly PredictionsRecord[],
  { width, height }: ChartSize,
): PredictionScatter[] {
  const shown = strategiesIn(predictions).flatMap((strategy) => {
    const own = predictions.filter((record) => record.strategy === strategy && record.predictedLoss !== null)
    const trial = Math.min(...own.map((record) => record.trial))
    const last = own.filter((record) => record.trial === trial).sort((a, b) => b.cycle - a.cycle)[0]
    return last === undefined ? [] : [{ strategy, trial, cycle: last.cycle, points: pointsOf(last) }]
  })
  const floor = logFloor(shown.flatMap(({ points }) => points.map((point) => point.target)))
  return shown.map(({ points, ...place }) => {
    const spec: ChartSpec = {
      width,
      height,
      data: {
        values: points.map(({ target, predicted }) => ({ predicted, target: Math.max(target, floor ?? target) })),
      },
      mark: { type: "point", filled: true, size: 26, opacity: 0.45, color: strategyColours[place.strategy] },
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
    return { ...place, floor, spec }
  })
}

function pointsOf({ targetLoss, predictedLoss }: PredictionsRecord): { target: number; predicted: number }[] {
  const count = Math.min(mostPoints, targetLoss.length)
  return Array.from({ length: count }, (_, index) => {
    const position = Math.floor((index * targetLoss.length) / count)
    return { target: targetLoss[position] ?? 0, predicted: predictedLoss?.[position] ?? 0 }
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
