import { type CycleRecord, mainValue, type StrategyName } from "@learnloss/contract"
import { strategyColours, strategyLegend, strategyScale, strategyShapes } from "./chart-style.ts"
import type { ChartSpec } from "./render-svg.ts"
import { type Spread, spread } from "./statistics.ts"
import { labelCounts, measureOf, strategiesIn } from "./summary.ts"
import { type TaskWords, taskWords } from "./task-words.ts"

/** Size in CSS pixels of the area between a chart's axes. */
export interface ChartSize {
  readonly width: number
  readonly height: number
}

const sources = { module: "loss module", confidence: "plain confidence" } as const
type Source = keyof typeof sources

/** The main measure on the test set over labelled images, a line for each strategy with a band of one standard deviation over trials. */
export function learningCurve(
  cycles: readonly CycleRecord[],
  size: ChartSize,
  title?: string,
  { samples }: TaskWords = taskWords.classification,
): ChartSpec {
  const points = curvePoints(cycles, (record) => mainValue(record.metrics))
  const hasBand = points.some((point) => point.low !== point.high)
  return {
    ...curves(cycles, points, size, { title: `test ${measureOf(cycles).title}`, format: ".2~%" }, samples),
    ...(title === undefined
      ? {}
      : { title: { text: title, ...(hasBand ? { subtitle: "mean over trials, band: ± 1 standard deviation" } : {}) } }),
  }
}

/**
 * The same over labelled objects, such as boxes, since whoever picks crowded images pays for more of them: each point
 * stands at the mean over trials. Null where a target is one label.
 */
export function objectsCurve(
  cycles: readonly CycleRecord[],
  size: ChartSize,
  { marked }: TaskWords = taskWords.detection,
): ChartSpec | null {
  if (cycles.some(({ labeledObjects }) => labeledObjects === undefined)) return null
  const points = curvePoints(cycles, (record) => mainValue(record.metrics)).map((point) => {
    const own = cycles.filter(({ strategy, labels }) => strategy === point.strategy && labels === point.labels)
    return { ...point, labels: spread(own.map(({ labeledObjects }) => labeledObjects ?? 0))?.mean ?? 0 }
  })
  return curves(cycles, points, size, { title: `test ${measureOf(cycles).title}`, format: ".2~%" }, marked)
}

/** How well the loss module orders test images by their loss, beside plain confidence of the same network. */
export function rankingChart(
  cycles: readonly CycleRecord[],
  size: ChartSize,
  { samples }: TaskWords = taskWords.classification,
): ChartSpec | null {
  const points = bothSources(cycles, {
    module: (record) => record.rankingAccuracy,
    confidence: (record) => record.confidenceRankingAccuracy,
  })
  return points.length === 0
    ? null
    : curves(cycles, points, size, { title: "ranking accuracy", format: ".2~%" }, samples)
}

/** Mean true loss of the 5% of test images ranked highest over the mean of all. */
export function liftChart(
  cycles: readonly CycleRecord[],
  size: ChartSize,
  { samples }: TaskWords = taskWords.classification,
): ChartSpec | null {
  const points = bothSources(cycles, {
    module: (record) => record.lift,
    confidence: (record) => record.confidenceLift,
  })
  return points.length === 0
    ? null
    : curves(cycles, points, size, { title: "lift of the top 5%", format: "~g" }, samples)
}

interface Point {
  readonly strategy: StrategyName
  readonly labels: number
  readonly source: string
  readonly mean: number
  readonly low: number
  readonly high: number
}

type Measure = (record: CycleRecord) => number | null

function bothSources(cycles: readonly CycleRecord[], measures: Record<Source, Measure>): Point[] {
  return (["module", "confidence"] as const).flatMap((source) => curvePoints(cycles, measures[source], source))
}

function curvePoints(cycles: readonly CycleRecord[], measure: Measure, source: Source = "module"): Point[] {
  return strategiesIn(cycles).flatMap((strategy) =>
    labelCounts(cycles).flatMap((labels): Point[] => {
      const values = cycles
        .filter((record) => record.strategy === strategy && record.labels === labels)
        .map(measure)
        .filter((value) => value !== null)
      const value: Spread | null = spread(values)
      if (value === null) return []
      const { mean } = value
      const std = value.std ?? 0
      return [{ strategy, labels, source: sources[source], mean, low: mean - std, high: mean + std }]
    }),
  )
}

/** Lines over labels with points; a second source of the same strategy is dashed, a spread over trials is a band. */
function curves(
  cycles: readonly CycleRecord[],
  points: readonly Point[],
  { width, height }: ChartSize,
  y: { title: string; format: string },
  labelled: TaskWords["samples" | "marked"],
): ChartSpec {
  const strategies = strategiesIn(points)
  const labels = labelCounts(cycles)
  const shown = Object.values(sources).filter((source) => points.some((point) => point.source === source))
  const isNarrow = width < 480
  const legend = strategyLegend(width, strategies.length)
  // Every strategy stands at the same counts of samples, and each at its own of what was marked in them.
  const isLevel = points.every((point) => labels.includes(point.labels))
  const marks = isLevel ? { values: ticks(labels, isNarrow ? 5 : 10) } : { tickCount: 5 }
  const x = {
    field: "labels",
    type: "quantitative",
    title: `labelled ${labelled}`,
    scale: { zero: false, nice: false, padding: 12 },
    axis: { ...marks, format: ",d", grid: false },
  } as const
  const colour = {
    field: "strategy",
    type: "nominal",
    scale: strategyScale(strategies, strategyColours),
    legend,
  } as const
  const dash = {
    field: "source",
    type: "nominal",
    scale: { domain: [...shown], range: shown.map((source) => (source === sources.module ? [1, 0] : [5, 4])) },
    legend: shown.length > 1 ? { ...legend, symbolType: "stroke", symbolSize: 500 } : null,
  } as const
  const scale = { zero: false, nice: true } as const
  const axis = { format: y.format, tickCount: 6 }
  return {
    width,
    height,
    data: { values: points.map((point) => ({ ...point })) },
    layer: [
      {
        mark: { type: "area", opacity: 0.16 },
        encoding: {
          x,
          y: { field: "low", type: "quantitative", title: y.title, scale, axis },
          y2: { field: "high" },
          color: colour,
          detail: { field: "source" },
        },
      },
      {
        mark: { type: "line", strokeWidth: 2.4 },
        encoding: {
          x,
          y: { field: "mean", type: "quantitative", title: y.title, scale, axis },
          color: colour,
          strokeDash: dash,
        },
      },
      {
        mark: { type: "point", filled: true, opacity: 1, size: 70, stroke: "white", strokeWidth: 0.8 },
        encoding: {
          x,
          y: { field: "mean", type: "quantitative", title: y.title, scale, axis },
          color: colour,
          shape: { field: "strategy", scale: strategyScale(strategies, strategyShapes), legend },
        },
      },
    ],
  }
}

/** At most `most` of some label counts, evenly thinned and always with the first. */
function ticks(labels: readonly number[], most: number): number[] {
  const step = Math.ceil(labels.length / most)
  return labels.filter((_, index) => index % step === 0)
}
