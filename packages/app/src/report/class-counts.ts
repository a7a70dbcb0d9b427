import type { CycleRecord } from "@learnloss/contract"
import { strategyColours, strategyLegend, strategyScale } from "./chart-style.ts"
import type { ChartSize } from "./charts.ts"
import type { ChartSpec } from "./render-svg.ts"
import { spread } from "./statistics.ts"
import { labelCounts, strategiesIn } from "./summary.ts"
import { type TaskWords, taskWords } from "./task-words.ts"

/** Above this many classes bars become lines. */
const mostBars = 16

/**
 * Labelled images, or what was marked in them, of each class at the end, mean over trials, classes ordered from the most labelled
 * on. Give it trials of one seed only: another seed has other rare classes.
 *
 * @param classNames stand at the axis where there are few enough classes; their numbers where it is left out
 * @returns null when the records do not count classes
 */
export function classCountsChart(
  cycles: readonly CycleRecord[],
  { width, height }: ChartSize,
  classNames: readonly string[] | null = null,
  { marked, part }: TaskWords = taskWords.classification,
): ChartSpec | null {
  const finalLabels = labelCounts(cycles).at(-1)
  const last = cycles.filter((record) => record.labels === finalLabels && record.labelsPerClass !== undefined)
  const strategies = strategiesIn(last)
  const classes = Math.max(0, ...last.map((record) => record.labelsPerClass?.length ?? 0))
  if (strategies.length === 0 || classes === 0) return null
  const count = (records: readonly CycleRecord[], index: number): number =>
    spread(records.map((record) => record.labelsPerClass?.[index] ?? 0))?.mean ?? 0
  // Random labels follow the pool, so they give the order of the classes; without it all strategies together do.
  const random = last.filter((record) => record.strategy === "random")
  const reference = random.length > 0 ? random : last
  const order = Array.from({ length: classes }, (_, index) => index).sort(
    (a, b) => count(reference, b) - count(reference, a) || a - b,
  )
  const nameOf = (index: number): string => classNames?.[index] ?? String(index)
  const values = strategies.flatMap((strategy) => {
    const own = last.filter((record) => record.strategy === strategy)
    return order.map((index, rank) => ({ strategy, class: nameOf(index), rank: rank + 1, count: count(own, index) }))
  })
  const colour = {
    field: "strategy",
    type: "nominal",
    scale: strategyScale(strategies, strategyColours),
    legend: strategyLegend(width, strategies.length),
  } as const
  const y = { field: "count", type: "quantitative", title: `labelled ${marked} at the end` } as const
  if (classes > mostBars) {
    const x = {
      field: "rank",
      type: "quantitative",
      title: `${part}, from the most to the least frequent`,
      scale: { nice: false },
      axis: { grid: false },
    } as const
    return {
      width,
      height,
      data: { values },
      mark: { type: "line", strokeWidth: 2 },
      encoding: { x, y, color: colour },
    }
  }
  return {
    width,
    height,
    data: { values },
    mark: { type: "bar" },
    encoding: {
      x: {
        field: "class",
        type: "ordinal",
        sort: order.map(nameOf),
        title: classNames === null ? `${part} (number in the data)` : part,
        axis: classNames === null ? { labelAngle: 0 } : { labelAngle: -35, labelLimit: 170 },
        scale: { paddingInner: 0.25 },
      },
      xOffset: { field: "strategy", sort: strategies },
      y,
      color: colour,
    },
  }
}
