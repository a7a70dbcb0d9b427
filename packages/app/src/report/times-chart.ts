import type { CycleRecord } from "@learnloss/contract"
import { phaseColours } from "./chart-style.ts"
import type { ChartSize } from "./charts.ts"
import type { ChartSpec } from "./render-svg.ts"
import { spread } from "./statistics.ts"
import { strategiesIn } from "./summary.ts"

const phases = { train: "trainSeconds", evaluate: "evaluateSeconds", select: "selectSeconds" } as const

/** Seconds of each cycle, mean over trials, a small chart for each strategy, two in a row where there is room. */
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
  const columns = width < 400 ? 1 : 2
  const rows = Math.ceil(strategiesIn(cycles).length / columns)
  const most = Math.max(...cycles.map((record) => record.cycle))
  return {
    data: { values: bars },
    facet: { field: "strategy", type: "nominal", title: null, sort: strategiesIn(cycles) },
    columns,
    spacing: 18,
    spec: {
      width: columns === 1 ? width : width / 2 - 12,
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
