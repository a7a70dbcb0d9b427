import type { StrategyName } from "@learnloss/contract"

/** Colours that colour-blind people tell apart (Okabe and Ito), the same for a strategy in every chart. */
export const strategyColours = {
  random: "#666666",
  entropy: "#e69f00",
  "core-set": "#009e73",
  "learning-loss": "#0072b2",
  "learning-loss-mse": "#56b4e9",
  "learning-loss-outputs": "#d55e00",
} as const satisfies Record<StrategyName, string>

/** Point shapes, so that a strategy is known without its colour too. */
export const strategyShapes = {
  random: "circle",
  entropy: "square",
  "core-set": "triangle-up",
  "learning-loss": "diamond",
  "learning-loss-mse": "triangle-down",
  "learning-loss-outputs": "cross",
} as const satisfies Record<StrategyName, string>

/** Colours of the phases of a cycle, none of them a strategy's. */
export const phaseColours = { train: "#3b4a6b", evaluate: "#cc79a7", select: "#f0e442" } as const

/** Legend of strategies in as many columns as a chart of this width has room for. */
export function strategyLegend(width: number, strategies: number): { columns: number } {
  if (width >= 950) return { columns: strategies }
  if (width >= 800) return { columns: strategies > 4 ? 3 : strategies }
  return { columns: width >= 400 ? 2 : 1 }
}

/** Scale that gives each of some strategies its own value of a table. */
export function strategyScale<T>(strategies: readonly StrategyName[], table: Record<StrategyName, T>) {
  return { domain: [...strategies], range: strategies.map((strategy) => table[strategy]) }
}
